"""One file per family of networks: how the layers of a sample become outputs."""
