"""Recorded histories, replayed in fresh OS processes."""
