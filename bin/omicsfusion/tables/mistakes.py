"""The usual mistakes of validation, as tables and files name them."""

SELECTION = "selection"
"""Features are selected by the outcome before the samples are split."""

TUNING = "tuning"
"""Settings are chosen, and networks are stopped, on the test folds."""

BATCH = "batch"
"""Batches are corrected on all samples, with the outcome protected."""

MISTAKES = (SELECTION, TUNING, BATCH)
