"""Detectors: each takes clean values and answers with levels, and can be saved and restored exactly."""
