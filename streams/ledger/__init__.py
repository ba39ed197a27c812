"""The ledger in Kafka and in files: its writer, its readers, its verification, its keys."""
