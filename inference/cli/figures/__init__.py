"""What ``glasshouse inspect`` can show, one kind or two in each file."""
