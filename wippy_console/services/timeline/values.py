"""What a timeline is made of: plain values that templates draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from engine.errors import Failure
from wippy_console.models import Decision, Question

Kind = Literal[
    "workflow",
    "activity",
    "local",
    "timer",
    "child",
    "signal",
    "external",
    "update",
    "marker",
    "task",
    "question",
    "exit",
]
State = Literal[
    "scheduled", "running", "completed", "failed", "canceled", "timed_out", "terminated", "continued_as_new",
    "fired", "waiting", "received",
]  # fmt: skip
Lane = Literal["main", "human"]


@dataclass(frozen=True, slots=True)
class EventRef:
    """One history event of a row. `type` is Temporal's name without its prefix, e.g. ActivityTaskStarted."""

    id: int
    type: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One head event with its followers, or (kind "question") one wait for a person.

    `id` is the head's event id; a question's is minus its primary key. `start` is when it was scheduled,
    `started` when work began (None while queued), `end` None while it is open. Kinds signal, exit and
    marker are moments: `end == start`. `input` is the list of arguments, `output` one value; a large one is
    `{"cut": True, "bytes": n, "preview": text}`. `attempt` counts from 1. `child` is (workflow id, run id) of
    the child or external workflow, run id "" when unknown. `deadline` is a timer's or question's.
    """

    id: int
    kind: Kind
    label: str
    state: State
    start: datetime
    started: datetime | None = None
    end: datetime | None = None
    attempt: int = 1
    summary: str = ""
    events: list[EventRef] = field(default_factory=list)
    input: Any = None
    output: Any = None
    failure: Failure | None = None
    child: tuple[str, str] | None = None
    sender: str = ""
    decision: Decision | None = None
    question: Question | None = None
    deadline: datetime | None = None
    lane: Lane = "main"

    @property
    def is_open(self) -> bool:
        """Whether the row still goes on."""
        return self.end is None

    @property
    def is_moment(self) -> bool:
        """Whether the row is drawn as a diamond: it has no duration of its own."""
        return self.kind in ("signal", "exit", "marker")

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it is open."""
        return None if self.end is None else (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run's rows in order of their start. `events_total` counts history events; `last_event_id` is the newest."""

    events_total: int
    rows: list[Row]
    began: datetime
    ended: datetime | None = None
    last_event_id: int = 0
