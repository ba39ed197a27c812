"""Reference profiles: built from files, read from files and registries, adopted by the ledger."""
