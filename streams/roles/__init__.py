"""The roles as they run: agents, tied to Kafka and to targets."""
