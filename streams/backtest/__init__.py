"""Backtests: what would have been raised over a file or a topic, by the very processors that run live."""
