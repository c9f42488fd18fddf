"""One file per chapter of the page, in the order in which they are read."""
