"""What runs beside us on one machine: Kafka, Envoy, and each role as a process."""
