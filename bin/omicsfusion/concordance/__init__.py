"""What needs several layers: do they belong to the same samples, and which features go together?"""
