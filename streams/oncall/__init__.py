"""How people are reached, and how schedules travel: receivers of pages, calendars."""
