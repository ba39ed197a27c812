"""What is kept of telemetry beyond the seven days of Kafka, and which rows of it tell most of an incident."""
