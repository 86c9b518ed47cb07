"""Noticing that the database changed, at the lowest price that it offers."""

from __future__ import annotations

from django.db import connection


def stamp() -> object:
    """A value that differs whenever another connection may have committed since.

    SQLite knows, for microseconds; for others it differs always, and the query that follows finds out.
    Only comparable with stamps of the same thread.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            return object()
        cursor.execute("PRAGMA data_version")
        return cursor.fetchone()
