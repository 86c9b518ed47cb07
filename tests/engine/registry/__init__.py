"""Entries from YAML to linked programs."""
