"""Sequential detection: whitened innovations of each column, and CUSUMs over them."""
