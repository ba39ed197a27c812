"""The intake role: single predictions from the inbound topic to telemetry."""
