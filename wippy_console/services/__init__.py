"""What the console does, one noun per module. Rights are checked here, for pages, commands and the admin alike.

A package's `__init__` is its face: others import from it, never from its modules.
"""
