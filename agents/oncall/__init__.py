"""Who is on call, and who is paged next: pure; a time zone is data, and time comes in as ms."""
