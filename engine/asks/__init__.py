"""What hosts answer to an `Ask` of functions and processes: the registry, the environment, rights, tokens, SQL."""
