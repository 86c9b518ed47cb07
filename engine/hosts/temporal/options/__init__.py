"""Options of calls, starts and children, read and measured before Temporal would refuse them."""
