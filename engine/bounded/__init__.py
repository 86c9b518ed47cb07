"""Readers of what people write that can't hold up a process: patterns, JSON Schema, YAML."""
