"""The one Faust loop, and how it keeps state exactly once."""
