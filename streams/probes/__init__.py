"""Asking models the questions of their canary probes, and publishing how they answered."""
