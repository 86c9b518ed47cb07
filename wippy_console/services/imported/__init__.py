"""Histories from files: read with care, kept for whoever brought them, and looked at without any server."""

from wippy_console.services.imported.keeping import KEPT, KEPT_DAYS, discard, events, get, keep, listed
from wippy_console.services.imported.reading import MOST_BYTES, MOST_EVENTS, read

__all__ = ["KEPT", "KEPT_DAYS", "MOST_BYTES", "MOST_EVENTS", "discard", "events", "get", "keep", "listed", "read"]
