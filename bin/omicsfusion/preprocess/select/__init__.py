"""Keeping the features that say most."""
