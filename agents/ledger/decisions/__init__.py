"""What the ledger decides: from a state and an authentic command to events, or a refusal."""
