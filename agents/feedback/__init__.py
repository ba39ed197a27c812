"""What people said of signals, and which settings of policy that speaks for changing."""
