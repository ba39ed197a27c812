"""Drills: which step of a scenario is due, what its faults do to a model, and how well it was answered."""
