"""The child processes of `up`: how each is started, bound to the life of `up`, heard, and known to be ready."""
