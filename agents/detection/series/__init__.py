"""One number after another: what in a series was never like this before."""
