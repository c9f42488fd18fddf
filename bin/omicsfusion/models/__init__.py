"""Fusion networks and the baselines that stand beside them."""
