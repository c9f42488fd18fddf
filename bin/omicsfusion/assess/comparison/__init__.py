"""Models against models: paired differences, ranks, and the verdict of a run."""
