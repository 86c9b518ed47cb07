"""What hosts answer to modules: the registry, the environment, tokens."""
