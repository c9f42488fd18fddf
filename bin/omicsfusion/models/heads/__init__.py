"""Heads: what a network's outputs mean for a task, and the loss that trains them."""
