"""Pretraining: encoders learn from layers alone, without an outcome, by a task made for it."""
