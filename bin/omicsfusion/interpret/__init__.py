"""What the predictions rest on: attributions and gene-set enrichment."""
