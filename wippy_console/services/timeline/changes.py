"""What changed of a timeline since a reader's last look.

The cursor says what the reader has by facts of the run alone, so that any web process can go on from it: the newest
event, whose later ones tell which rows changed, and digests of what changes without an event, in groups of rows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

from wippy_console.services.timeline.values import Loop, Row, Timeline

FORM = "1"
"""Another form of rows or cursors is another number: what readers have is of no use then."""

GROUPS = 32
_BYTES = 3
_NOTHING = hashlib.blake2b(digest_size=_BYTES).digest() * GROUPS


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a reader has. `kind` tells how it sees the run."""

    kind: str
    last: int
    questions: int
    digests: bytes

    def text(self) -> str:
        """For an address."""
        digests = base64.urlsafe_b64encode(self.digests).decode()
        return f"{FORM}{self.kind}.{self.last}.{self.questions}.{digests}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """The cursor again; None for what is none of this form."""
        try:
            kind, last, questions, digests = text.removeprefix(FORM).split(".")
            found = cls(kind, int(last[:9]), int(questions[:9]), base64.urlsafe_b64decode(digests))
        except (ValueError, binascii.Error):
            return None
        return found if text.startswith(FORM) and len(found.digests) in (0, GROUPS * _BYTES) else None


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows and loops to put in place of those of the same id; `whole`: in place of all."""

    cursor: str
    whole: bool
    rows: list[Row]
    loops: list[Loop]


def since(timeline: Timeline, after: str, *, sees: bool) -> Changes:
    """What changed since the cursor `after`, everything where it does not fit."""
    rows = timeline.rows
    volatile = [row for row in rows if row.id in timeline.volatile]
    asked = sum(row.id < 0 for row in volatile)
    now = Cursor("s" if sees else "", timeline.last_event_id, asked, _digests(volatile))
    had = Cursor.read(after)
    if had is None or had.kind != now.kind or had.last > now.last or had.questions > now.questions:
        return Changes(now.text(), True, rows, timeline.loops)
    stale = _differing(had.digests, now.digests)
    fresh = [row for row in rows if row.touched > had.last or (row.id % GROUPS in stale and _may_change(row, timeline))]
    return Changes(now.text(), False, fresh, [loop for loop in timeline.loops if loop.touched > had.last])


def _may_change(row: Row, timeline: Timeline) -> bool:
    return row.is_open or row.id in timeline.volatile


def _differing(had: bytes, now: bytes) -> set[int]:
    if had == now:
        return set()
    had, now, places = had or _NOTHING, now or _NOTHING, range(0, GROUPS * _BYTES, _BYTES)
    return {at // _BYTES for at in places if had[at : at + _BYTES] != now[at : at + _BYTES]}


def _digests(rows: list[Row]) -> bytes:
    """Of each group of rows what they look like; nothing when there are none."""
    if not rows:
        return b""
    groups = [hashlib.blake2b(digest_size=_BYTES) for _ in range(GROUPS)]
    for row in rows:
        groups[row.id % GROUPS].update(repr(_look(row)).encode(errors="surrogatepass"))
    return b"".join(group.digest() for group in groups)


def _look(row: Row) -> tuple[Any, ...]:
    """What of a row server and database say."""
    failure = row.failure.message if row.failure else ""
    decided = str(row.decision.pk) if row.decision else ""
    return (row.id, row.state, row.attempt, row.label, row.summary, row.sender, row.started, row.end, row.deadline,
            failure, decided)  # fmt: skip
