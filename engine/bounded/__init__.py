"""Readers of what people write that can't hold up a process: patterns, globs, JSON Schema, YAML, cron schedules."""
