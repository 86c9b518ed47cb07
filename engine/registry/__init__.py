"""The registry as pure functions: entries from YAML, what kinds require, references, changes, linked programs."""
