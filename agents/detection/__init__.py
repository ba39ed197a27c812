"""Judge telemetry: monitors over model versions, and what they are made of."""
