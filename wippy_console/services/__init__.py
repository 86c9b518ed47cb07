"""What the console does, one noun per module. Rights are checked here, for pages, commands and the admin alike."""
