"""Tuning: trials scored on the inner folds of each training set."""
