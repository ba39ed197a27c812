"""Which statutory clocks run on a case, when each is due, and how much of its time is used."""
