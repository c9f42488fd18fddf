"""Bringing samples and values of one kind of layer to a common scale."""
