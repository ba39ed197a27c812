"""Regions of a case that stand side by side: each has a state of its own, rebuilt from the events."""
