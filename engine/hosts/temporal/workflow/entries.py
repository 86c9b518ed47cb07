"""Entries as a run reads them: those of its registry version, filled in with what a variable was at the first use.

A variable differs between nodes and changes with time, while the options and policies in which it stands decide what
a step does. So a run asks its worker for each entry that names one, once: the answer is recorded, and every replay
reads that.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from temporalio.exceptions import FailureError

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import StepAborted
from engine.hosts.temporal.wire import failures, payloads
from engine.hosts.temporal.wire.lookups import FILLED
from engine.hosts.temporal.workflow.asking import ask_worker
from engine.hosts.temporal.workflow.event_queue import EventQueue
from engine.registry import run_fields

Task = asyncio.Task[Any]
MOST_KNOWN = 1_000


class RunEntries:
    """The entries of one run, which began with that version of the registry and of the kernel."""

    def __init__(self, catalog: Catalog, version: int, kernel: int) -> None:
        self._catalog = catalog
        self._version = version
        self._kernel = kernel
        self._filled: dict[str, Entry] = {}
        self._asking: dict[str, Task] = {}

    def written(self, entry_id: str) -> Entry | None:
        """The entry with its placeholders as they are written."""
        return self._catalog.written_at(entry_id, self._version)

    def entry(self, entry_id: str) -> Entry | None:
        """The entry; one that the run `lacks` must have been asked for."""
        found = self._filled.get(entry_id)
        if found is None and self.lacks(entry_id):
            raise RuntimeError(f"the run did not ask what variables {entry_id} names")
        return found or self.written(entry_id)

    def lacks(self, entry_id: str) -> bool:
        """Whether the run must ask before it can read the entry.

        One of kernel 1 never does: in its day a placeholder was a text as any other.
        """
        if self._kernel < 2 or entry_id in self._filled:
            return False
        entry = self.written(entry_id)
        return entry is not None and _is_open(entry)

    def ask(self, entry_id: str) -> Task:
        """Ask this worker what the run is to read; the answer is for `keep`."""
        return ask_worker(FILLED, entry_id, self._version)

    def keep(self, entry_id: str, asked: Task) -> None:
        """Take in an answer; StepAborted where this node has none, since it lacks a variable.

        The task fails then, and with it the record of the answer: it is tried again, here or elsewhere.
        """
        written = self.written(entry_id)
        assert written is not None
        try:
            answer = payloads.decode(asked.result().payload)
        except FailureError as error:
            raise StepAborted(failures.from_exception(error).message) from error
        self._filled[entry_id] = _shared(written, answer)

    async def learn(self, entry_id: str, events: EventQueue) -> None:
        """Ask, and wait for the answer's turn; calls of one entry that begin meanwhile wait for the same answer."""
        if entry_id not in self._asking:
            asking = self._learn(entry_id, events)
            self._asking[entry_id] = asyncio.get_running_loop().create_task(asking)
            self._asking[entry_id].add_done_callback(events.unheard)  # those who wait may be given up
        await asyncio.shield(self._asking[entry_id])

    async def _learn(self, entry_id: str, events: EventQueue) -> None:
        asked = self.ask(entry_id)
        await events.turn(asked)
        self.keep(entry_id, asked)


_opened: dict[int, tuple[Entry, bool]] = {}
_known: dict[tuple[int, str], tuple[Entry, Entry]] = {}


def _is_open(entry: Entry) -> bool:
    """Once for each entry of a registry version: a catalog keeps those, and what it drops is looked at again."""
    known = _opened.get(id(entry))
    if known is None or known[0] is not entry:
        _make_room(_opened)
        known = _opened[id(entry)] = (entry, run_fields.is_open(entry))
    return known[1]


def _shared(written: Entry, filled: Any) -> Entry:
    """The filled entry, one for all runs that read the same: what is made of an entry is kept by it."""
    key = (id(written), json.dumps(filled, sort_keys=True))
    known = _known.get(key)
    if known is None or known[0] is not written:
        _make_room(_known)
        known = _known[key] = (written, run_fields.with_fields(written, filled))
    return known[1]


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= MOST_KNOWN:
        known.clear()
