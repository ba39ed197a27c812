"""Reports of an incident: facts from its record, forms as data, and what each form says of these facts. Pure."""
