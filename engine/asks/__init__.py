"""What hosts answer to an `Ask` of functions and processes: the registry and the environment."""
