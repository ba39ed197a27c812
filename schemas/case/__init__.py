"""What is asked and what happens in each region of a case that stands beside the response; one module a region."""
