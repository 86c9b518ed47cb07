"""Texts that begin with another, found by an index."""

from __future__ import annotations

from django.db import connection
from django.db.models import Q

_LAST_CHARACTER = "\U0010ffff"


def begins(field: str, text: str) -> Q:
    """SQLite's LIKE uses no index, a range does; PostgreSQL compares by locale, where a range would be wrong."""
    if connection.vendor == "sqlite":
        return Q(**{f"{field}__gte": text, f"{field}__lt": text + _LAST_CHARACTER})
    return Q(**{f"{field}__startswith": text})
