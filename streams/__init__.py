"""Where it happens: Kafka, files, HTTP, clocks and the command line."""
