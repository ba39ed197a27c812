"""The serving infrastructure that an approved action changes: one adapter for each kind of target."""
