"""Locks for the rest of a transaction: writers whose rows must not come out of order wait for each other."""

from __future__ import annotations

from django.db import connection


def lock_for_transaction(number: int) -> None:
    """Wait until no other transaction holds the lock of that number. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
