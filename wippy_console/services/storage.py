"""Whether what happens can be kept: room on the disk of the data folder, and a database that takes writes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Max
from django.template.defaultfilters import filesizeformat

from wippy_console.models import Node

LITTLE_BYTES = 1 << 30
"""So little room is worth a word: SQLite needs some for each commit, and Temporal's server grows with each step."""


@dataclass(frozen=True, slots=True)
class Storage:
    """`free` in bytes; `written_at` is the last heartbeat of a node there; `problem` is "" when all is well."""

    free: int
    written_at: datetime | None
    problem: str


def storage() -> Storage:
    """As it is now; costs a question to the operating system and two to the database."""
    free = shutil.disk_usage(settings.WIPPY_DATA).free
    written_at = Node.objects.aggregate(at=Max("heartbeat_at"))["at"]
    return Storage(free, written_at, _why_not() or _full(free))


def _full(free: int) -> str:
    if free >= LITTLE_BYTES:
        return ""
    return f"Only {filesizeformat(free)} are free on the disk of the data folder: make room before writes fail."


def _why_not() -> str:
    """Why the database takes no writes, "" when it does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean")
            (refuses,) = cursor.fetchone()
        return "The database takes no writes: it is read-only, or a standby." if refuses else ""
    file = connection.settings_dict["NAME"]
    return "" if os.access(file, os.W_OK) else "The database takes no writes: its file is read-only."
