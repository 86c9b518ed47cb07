"""What hosts answer to an `Ask` of functions and processes: registry, environment, rights, tokens, SQL, stores."""
