"""Single predictions into batches: reading them fast, and packing them so that each row counts once."""
