"""How processes ended, kept for a while in their rows: result, failure, relatives; bounded in time and number.

Kept are failures, whatever had lived long enough for a row, and what has a name or no unit as its parent. Of those that
end within one look (about a second) a hundred are kept, failures first; of the others there is only the number. Ten
thousand short processes that some unit spawned and that succeed leave no row at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils import timezone

from engine.contracts.operations import ProcessInfo
from engine.durations import SECOND
from engine.steps import Exited
from wippy_console.database.storable import preview, storable
from wippy_console.models import Process
from wippy_console.models.fleet import KEPT_FOR
from wippy_console.models.masks import veil_of
from wippy_console.worker.reporting.process_exits import End, is_reported, status_of

MOST = 100
KEPT = 1000
"""Rows of ended processes of one node."""
LONG = 0.5
"""Seconds after which a process has a row while it lives."""
RESULT_BYTES = 16 * 1024
TRIM_SECONDS = 60.0

ENDED = [
    "state", "ended_at", "result", "failure", "names", "name_text", "links", "watchers", "mailbox", "doing",
    "operations", "doing_since",
]  # fmt: skip
"""Columns that an end changes in a row that is there."""


class Ends:
    """Collects the ends of one node, from any thread."""

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = threading.Lock()
        self._failed: list[End] = []
        self._well: list[End] = []

    def on_end(self, info: ProcessInfo, exited: Exited) -> None:
        """A process ended (`engine.hosts.actor.actor.OnProcessEnd`)."""
        if not is_kept(info, exited):
            return
        with self._lock:
            some = self._well if exited.failure is None else self._failed
            if len(some) < MOST:
                some.append((info, exited))
            else:
                self.dropped += 1

    def take(self) -> list[End]:
        """What ended since, failures first, up to `MOST`."""
        with self._lock:
            found = [*self._failed, *self._well]
            self._failed, self._well = [], []
            self.dropped += max(0, len(found) - MOST)
        return found[:MOST]

    def give_back(self, ends: Sequence[End]) -> None:
        """They could not be written now."""
        for end in ends:
            self.on_end(*end)


class Trimmer:
    """Deletes what a node kept for long enough, once a minute and after many new ones."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self._at = 0.0
        self._new = MOST

    def trim(self, new: int) -> None:
        """After `new` rows were written."""
        self._new += new
        if self._new < MOST and time.monotonic() - self._at < TRIM_SECONDS:
            return
        self._at, self._new = time.monotonic(), 0
        rows = Process.objects.filter(node_id=self._node_id, ended_at__isnull=False)
        rows.filter(ended_at__lt=timezone.now() - KEPT_FOR).delete()
        last = rows.order_by("-ended_at").values_list("ended_at", flat=True)[KEPT - 1 : KEPT].first()
        if last is not None:
            rows.filter(ended_at__lt=last).delete()


def is_kept(info: ProcessInfo, exited: Exited) -> bool:
    """Whether anybody may look for it."""
    return exited.at - info.started >= LONG * SECOND or is_reported(info, exited)


def with_end(row: Process, exited: Exited) -> Process:
    """The row of a process, as it ended."""
    found = {"result": exited.value, "failure": exited.failure.to_json() if exited.failure else None}
    told = veil_of(row.entry_id, found).told({name: storable(value) for name, value in found.items()})
    row.state, row.ended_at = status_of(exited), datetime.fromtimestamp(exited.at / SECOND, UTC)
    row.doing, row.operations, row.doing_since = [], 0, None
    row.result, row.failure = (preview(told[name], RESULT_BYTES) for name in ("result", "failure"))
    return row
