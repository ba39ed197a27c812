"""The forms that reports are made from, as data."""
