"""What a node writes about what runs on it, for the console to show."""
