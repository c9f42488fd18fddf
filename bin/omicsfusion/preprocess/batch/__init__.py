"""Batches: how strong they are, whether they are confounded with the outcome, taking them away."""
