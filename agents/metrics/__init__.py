"""What the ledger's entries say of how incidents go: milestones, times, recurrences, satisfaction, trends."""
