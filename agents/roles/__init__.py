"""What each role behind the audit topic should do next."""
