"""What is said: events, commands, policy, wire formats and the ledger's format. Pure data and bytes."""
