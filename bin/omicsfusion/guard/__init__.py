"""Guards against leakage and confounding that run in every run."""
