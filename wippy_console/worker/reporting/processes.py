"""The rows of a node's processes: what changed is written, in portions, about once a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from engine.contracts.operations import Doing, ProcessInfo
from engine.durations import SECOND
from wippy_console.database.storable import storable_text
from wippy_console.database.threads import in_thread
from wippy_console.models import Process
from wippy_console.models.fleet import columns_of
from wippy_console.worker.reporting.ended import ENDED, Ends, Trimmer, with_end
from wippy_console.worker.reporting.process_exits import End

logger = logging.getLogger(__name__)

PERIOD = 1.0
# Looking at 10,000 processes takes 0.1 s of the interpreter's time: it may have a twentieth of it, within bounds.
SHARE, LONGEST_PERIOD = 20, 3.0
# What lives shorter than a look would only be written to be deleted; function calls count as long after two seconds.
SHORTEST = {"process": 0.5, "function": 2.0}
AT_ONCE = 500
# Operations that take as long are worth a write; short ones come and go unseen.
LONG_OPERATION = 2 * SECOND
# Rows of processes that merely changed; a thousand busy mailboxes a second are news to nobody.
CHANGES_PER_LOOK = 1000
# A workflow's id may be long, and an index of PostgreSQL takes 2,700 bytes.
MAX_PARENT = 600
IDLE, BUSY = "idle", "busy"

Pid = str
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not written yet: the processes to write, those that ended, and the messages that wait by host id."""

    fresh: Sequence[ProcessInfo]
    changed: Sequence[ProcessInfo]
    ended: Sequence[Pid]
    waiting: Mapping[str, int]


class Differ:
    """Compares snapshots of the node's processes with what was written of them."""

    def __init__(self) -> None:
        self._written: dict[Pid, tuple[object, ...]] = {}
        self._at_work: set[Pid] = set()
        self._busy: set[Pid] = set()
        self._now = 0

    def compare(self, seen: Sequence[ProcessInfo], now: int) -> Difference:
        """What of the snapshot taken at `now` (ns) is not written yet; `written` and `deleted` say what was."""
        self._now = now
        at_work = {each.pid for each in seen if each.state != IDLE}
        self._busy, self._at_work = at_work & self._at_work, at_work
        fresh = [each for each in seen if each.pid not in self._written and is_long(each, now)]
        changed = [each for each in seen if self._written.get(each.pid, each) not in (each, self._signature(each))]
        changed.sort(key=lambda each: -each.mailbox)
        waiting: Counter[str] = Counter()
        for each in seen:
            waiting[each.host] += each.mailbox
        alive = {each.pid for each in seen}
        ended = [pid for pid in self._written if pid not in alive]
        return Difference(fresh, changed[:CHANGES_PER_LOOK], ended, waiting)

    @property
    def rows(self) -> int:
        """How many processes are written."""
        return len(self._written)

    def state(self, pid: Pid) -> str:
        """busy when it was at work at this look and the one before, else idle."""
        return BUSY if pid in self._busy else IDLE

    def doing(self, info: ProcessInfo) -> tuple[Doing, ...]:
        """Those of its operations that are no short ones, as of this look."""
        return tuple(each for each in info.doing if self._now - each.since >= LONG_OPERATION) if info.doing else ()

    def written(self, rows: Sequence[ProcessInfo]) -> None:
        """These were written as they stand."""
        self._written |= {each.pid: self._signature(each) for each in rows}

    def deleted(self, pids: Sequence[Pid]) -> None:
        """These were deleted, or are rows of what has ended now."""
        for pid in pids:
            self._written.pop(pid, None)

    def _signature(self, info: ProcessInfo) -> tuple[object, ...]:
        """What is worth a write. A mailbox counts when it doubles, halves, or becomes full or empty."""
        full = info.mailbox >= info.mailbox_limit
        busy = info.pid in self._busy
        doing = self.doing(info)
        return busy, full, info.mailbox.bit_length(), info.entry, info.names, info.links, info.watchers, doing


def is_long(info: ProcessInfo, now: int) -> bool:
    """Whether it has lived long enough to be worth a row."""
    return now - info.started >= SHORTEST[info.kind] * SECOND


class ProcessReporter:
    """Writes the rows of one node. `processes` takes the snapshot, from any thread; `ends` has what ended since."""

    def __init__(self, node_id: str, processes: Callable[[], Sequence[ProcessInfo]], ends: Ends | None = None) -> None:
        self.waiting: Mapping[str, int] = {}
        self.ends = ends or Ends()
        self._trimmer = Trimmer(node_id)
        self._node_id = node_id
        self._processes = processes
        self._differ = Differ()
        self._took = 0.0

    async def run(self) -> None:
        """Look and write until cancelled. A database that is down costs rows, never the node."""
        while True:
            try:
                await in_thread(self.write)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the processes could not be written: %s", error)
            await asyncio.sleep(min(max(PERIOD, self._took * SHARE), LONGEST_PERIOD))

    async def flush(self) -> None:
        """A last look, when the node has stopped: how its processes ended stays."""
        try:
            await in_thread(self.write)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the ends of processes could not be written: %s", error)

    def write(self) -> None:
        """One look, and what it found written; anew when others deleted rows because this node was silent."""
        live = Process.objects.filter(node_id=self._node_id, ended_at=None)
        if live.count() != self._differ.rows:
            live.delete()
            self._differ = Differ()
        began = time.monotonic()
        seen = self._processes()
        ends = self.ends.take()  # after the look: what ended meanwhile is not taken for alive
        over = {info.pid for info, _ in ends}
        found = self._differ.compare([each for each in seen if each.pid not in over], time.time_ns())
        self._took = time.monotonic() - began
        self.waiting = found.waiting
        self._write_ends(ends)
        for ended in portions([pid for pid in found.ended if pid not in over]):
            live.filter(pid__in=ended).delete()
            self._differ.deleted(ended)
        for some in portions([*found.fresh, *found.changed]):
            self._save([self._row(each) for each in some], VOLATILE)
            self._differ.written(some)

    def _write_ends(self, ends: Sequence[End]) -> None:
        """Keep how they ended, in the rows that they have or in new ones."""
        try:
            if ends:
                self._save([with_end(self._row(info), exited) for info, exited in ends], ENDED)
                self._differ.deleted([info.pid for info, _ in ends])
            self._trimmer.trim(len(ends))
        except (DatabaseError, InterfaceError):
            self.ends.give_back(ends)
            raise

    def _save(self, rows: Sequence[Process], columns: Sequence[str]) -> None:
        Process.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["node", "pid"], update_fields=columns
        )  # fmt: skip

    def _row(self, info: ProcessInfo) -> Process:
        doing = self._differ.doing(info)
        return Process(
            node_id=self._node_id,
            pid=info.pid,
            entry_id=info.entry,
            host_id=info.host,
            kind=info.kind,
            parent=storable_text(info.parent)[:MAX_PARENT],
            names=[storable_text(name) for name in info.names],
            name_text=storable_text("\n".join(info.names)),
            links=list(info.links),
            watchers=list(info.watchers),
            state=self._differ.state(info.pid),
            mailbox=info.mailbox,
            mailbox_limit=info.mailbox_limit,
            **columns_of(doing, info.operations if doing else 0),
            started_at=datetime.fromtimestamp(info.started / SECOND, UTC),
        )


DOING = ["doing", "operations", "doing_since"]
VOLATILE = ["entry_id", "names", "name_text", "links", "watchers", "state", "mailbox", "mailbox_limit", *DOING]


def portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in portions that one statement can carry."""
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
