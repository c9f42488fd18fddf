"""omicsfusion: fuse omics layers, predict an outcome, and say what the prediction is worth."""

__version__ = "0.1.0"
