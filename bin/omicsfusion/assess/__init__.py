"""What the predictions are worth: metrics, intervals and risk groups."""
