"""A served model that breaks on demand: real classifiers, servers and requests to watch Headgate at work on."""
