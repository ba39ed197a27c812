"""Telemetry and evidence on disk: encrypted, named by their digest, found by prediction id."""
