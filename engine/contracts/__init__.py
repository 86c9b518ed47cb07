"""What the parts of the engine ask of each other: one contract a file, implemented elsewhere."""
