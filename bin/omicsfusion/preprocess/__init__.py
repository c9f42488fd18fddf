"""Fitted chains: every number that is learnt from a layer is learnt here, from training samples."""
