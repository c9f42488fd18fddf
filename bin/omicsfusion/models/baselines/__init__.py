"""Shallow models beside the networks: one file per family, all tuned by ``candidates``."""
