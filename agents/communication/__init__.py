"""What people are told of an incident: a draft for each audience from the record, and what vendors owe. Pure."""
