"""Signals to incidents: one fault, one incident."""
