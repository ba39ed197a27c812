"""Serving models, asking them and registering them: what the demonstration and the drills have in common."""
