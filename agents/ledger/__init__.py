"""What commands lead to: the rules, the state they add up to, and the fold that checks both."""
