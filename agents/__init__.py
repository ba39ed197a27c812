"""What is decided: detectors and pure decision functions. No Kafka, no clock, no I/O."""
