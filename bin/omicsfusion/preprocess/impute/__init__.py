"""Filling in missing values inside a layer."""
