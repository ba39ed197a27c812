"""The ledger as people see it and act on it at a terminal."""
