"""How the events of each region of a case are said in a sentence; one module a region, `SAY` by event class."""
