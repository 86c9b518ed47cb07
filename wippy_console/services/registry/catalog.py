"""The registry as hosts see it: in memory, at hand for every thread, at most a moment old."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

from engine.entry import Entry
from engine.errors import ProgramError
from engine.program import Program
from engine.registry.imports import importers
from engine.registry.linking import link
from wippy_console import models
from wippy_console.services import python_functions
from wippy_console.services.registry import reading

T = TypeVar("T")
TTL = 0.2
PATIENCE = 0.25
PINNED_PROGRAMS = 1024
PAST_ENTRIES = 10_000
PAST_STATES = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One registry version. `programs` is a cache that fills as entries are asked for."""

    version: int
    entries: Mapping[str, Entry]
    by_kind: Mapping[str, list[Entry]]
    programs: dict[str, Program] = field(default_factory=dict)

    @classmethod
    def of(cls, version: int, entries: Mapping[str, Entry], programs: Mapping[str, Program]) -> Snapshot:
        """Order the entries and index them by kind; `programs` are those known to be the same as before."""
        ordered = dict(sorted(entries.items()))
        by_kind: dict[str, list[Entry]] = {}
        for entry in ordered.values():
            by_kind.setdefault(entry.kind, []).append(entry)
        return cls(version, ordered, by_kind, dict(programs))


class DatabaseCatalog:
    """Implements `engine.contracts.catalog.Catalog` on the console's tables.

    All queries run on one thread of its own, since event loops and workflow threads must not use the ORM.
    An answer is at most `ttl` seconds old; when the database does not answer in time, the version at hand serves on.
    """

    def __init__(self, *, ttl: float = TTL) -> None:
        self._ttl = ttl
        self._snapshot: Snapshot | None = None
        self._checked = 0.0
        self._pending: Future[Snapshot] | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalog")
        self._pinned = lru_cache(PINNED_PROGRAMS)(self._fetch_pinned)
        self._past = lru_cache(PAST_ENTRIES)(self._fetch_past)
        self._past_state = lru_cache(PAST_STATES)(self._fetch_past_state)

    def entry(self, entry_id: str) -> Entry | None:
        """The entry in the current registry version, or None."""
        return self._current().entries.get(entry_id) or python_functions.entry(entry_id)

    def entry_at(self, entry_id: str, version: int) -> Entry | None:
        """The entry as it stood in that registry version, or None."""
        snapshot = self._snapshot
        if snapshot is not None and snapshot.version == version:
            return snapshot.entries.get(entry_id)
        return self._past(entry_id, version)

    def written_at(self, entry_id: str, version: int) -> Entry | None:
        """The same: nothing is filled in here. What only code declares has no versions."""
        return self.entry_at(entry_id, version) or python_functions.entry(entry_id)

    def state(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version that there is, by id, in order. Not to be changed."""
        snapshot = self._snapshot
        return snapshot.entries if snapshot and snapshot.version == version else self._past_state(version)

    def entries(self, kind: str) -> list[Entry]:
        """All entries of one kind in the current version, by id."""
        return list(self._current().by_kind.get(kind, ()))

    def current(self, entry_id: str) -> Program:
        """The program of the entry in the current version; raises ProgramError when there is none."""
        snapshot = self._current()
        program = snapshot.programs.get(entry_id)
        if program is None:
            program = snapshot.programs[entry_id] = link(entry_id, _linked(entry_id, snapshot.entries))
        return program

    def pinned(self, digest: str) -> Program:
        """The immutable program of that digest; raises ProgramError when it is not known."""
        return self._pinned(digest)

    def version(self) -> int:
        """The number of the current registry version (0 when the registry is empty)."""
        return self._current().version

    def refresh(self) -> int:
        """Look now: an answer from here on knows everything that was committed before. Returns the version."""
        return self._adopt(self._thread.submit(self._ask, self._load).result()).version

    def close(self) -> None:
        """End the thread and its database connection; safe more than once. Reading afterwards is an error."""
        with self._lock:
            if not self._closed:
                self._closed = True
                # The proxy looks up the connection of the thread that asks it for `close`.
                self._thread.submit(lambda: connection.close()).result()  # noqa: PLW0108
        self._thread.shutdown(wait=True)

    def _current(self) -> Snapshot:
        snapshot = self._snapshot
        if snapshot is None:
            return self._adopt(self._poll()[0].result())
        if time.monotonic() - self._checked < self._ttl:
            return snapshot
        pending, mine = self._poll()
        # Who finds a question under way does not wait for it: a database that hangs must not hang its callers.
        if not mine and not pending.done():
            return snapshot
        try:
            return self._adopt(pending.result(PATIENCE))
        except (FutureTimeoutError, DatabaseError, InterfaceError) as error:
            log.warning("The registry can't be read, version %s serves on: %r", snapshot.version, error)
            self._checked = time.monotonic()
            return snapshot

    def _poll(self) -> tuple[Future[Snapshot], bool]:
        """The question under way, else a new one; and whether it is the caller's own."""
        with self._lock:
            if self._pending is not None and not self._pending.done():
                return self._pending, False
            self._pending = self._thread.submit(self._ask, self._load)
            return self._pending, True

    def _adopt(self, snapshot: Snapshot) -> Snapshot:
        self._checked = time.monotonic()
        return snapshot

    def _ask(self, query: Callable[[], T]) -> T:
        """Run a query on the catalog's thread; a connection that broke meanwhile is replaced once."""
        try:
            return query()
        except (DatabaseError, InterfaceError):
            connection.close()
            return query()

    def _load(self) -> Snapshot:
        """Bring the snapshot up to date; runs on the catalog's thread, which alone assigns it."""
        old, number = self._snapshot, reading.current_number()
        if old is None or number < old.version:
            new = Snapshot.of(number, reading.snapshot(number), {})
        else:
            new = _advanced(old, number) if number > old.version else old
        self._snapshot = new
        return new

    def _fetch_pinned(self, digest: str) -> Program:
        content = self._thread.submit(self._ask, lambda: _program_content(digest)).result()
        if content is None:
            raise ProgramError(f"there is no program {digest}")
        return Program.from_json(content)

    def _fetch_past(self, entry_id: str, version: int) -> Entry | None:
        found = self._thread.submit(self._ask, lambda: reading.snapshot(version, [entry_id])).result()
        return found.get(entry_id)

    def _fetch_past_state(self, version: int) -> Mapping[str, Entry]:
        return self._thread.submit(self._ask, lambda: reading.snapshot(version)).result()


def _linked(entry_id: str, entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
    """What a program is linked of; one that code declares needs nothing else."""
    declared = None if entry_id in entries else python_functions.entry(entry_id)
    return {entry_id: declared} if declared else entries


def _advanced(old: Snapshot, number: int) -> Snapshot:
    """The snapshot of a later version: only what changed is read, and other programs stay."""
    rows = reading.newest_revisions(number).filter(version_id__gt=old.version)
    entries = dict(old.entries)
    changed = []
    for row in rows:
        changed.append(row.entry_id)
        entries.pop(row.entry_id, None)
        if not row.deleted:
            entries[row.entry_id] = reading.as_entry(row)
    stale = importers(changed, entries) | importers(changed, old.entries)
    return Snapshot.of(number, entries, {key: value for key, value in old.programs.items() if key not in stale})


def _program_content(digest: str) -> Mapping[str, object] | None:
    return models.Program.objects.filter(digest=digest).values_list("content", flat=True).first()
