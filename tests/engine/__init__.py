"""The engine without Django."""
