"""Drills on the real pipeline: a cluster of their own, served models, requests, people, and the report."""
