"""Duties to report incidents: the clocks with the words of their articles, and the frameworks that records map to."""
