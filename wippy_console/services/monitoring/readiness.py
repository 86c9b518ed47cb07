"""Whether this process can do its work: the database answers, and has the tables of this version of the code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from wippy_console.services import feed

OK = "ok"
UNMADE = "run manage.py migrate"
AWAY = "does not answer"
PATIENCE_SECONDS = 2.0

Found = Mapping[str, str]
"""What was looked at, each `OK` or in words what is wrong; no secrets: anybody may read it."""


class Readiness:
    """Looks on a thread of its own, once for all who ask at the same time; `tail` adds what the feed's reader says."""

    def __init__(self, tail: Callable[[], str] = lambda: OK) -> None:
        self._tail = tail
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")
        self._under_way: asyncio.Future[Found] | None = None

    async def look(self) -> Found:
        """What holds now; a database that answers too late does not answer."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.get_running_loop().run_in_executor(self._thread, _look)
        done, _ = await asyncio.wait([self._under_way], timeout=PATIENCE_SECONDS)
        found = self._under_way.result() if done else {"database": AWAY}
        return {**found, "feed": self._tail()} if found.get("feed") == OK else found


def is_ready(found: Found) -> bool:
    """Whether nothing is wrong."""
    return all(each == OK for each in found.values())


def _look() -> Found:
    try:
        if not _leaves() <= MigrationRecorder(connection).applied_migrations().keys():
            return {"database": OK, "migrations": UNMADE}
        feed.head()
    except (DatabaseError, InterfaceError):
        return {"database": AWAY}
    finally:
        connection.close()
    return {"database": OK, "migrations": OK, "feed": OK}


@cache
def _leaves() -> set[tuple[str, str]]:
    """The last migration of each app: applied, all before it are."""
    return set(MigrationLoader(None).graph.leaf_nodes())
