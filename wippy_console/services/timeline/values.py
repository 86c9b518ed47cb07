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
    "fired", "waiting", "received", "retrying",
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
    the child or external workflow, run id "" when unknown. `deadline` is a timer's or question's, or the next try of a
    call that failed. `own` is a step of the engine itself. `loop` is the id of the first row of the loop that this
    one is in, else 0; `order` is its place among all, `touched` the newest event that changed it. Rows of a whole
    timeline lack `input`, `output`, and of a failure stack and details: `timeline.row` reads those of one.
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
    own: bool = False
    loop: int = 0
    order: float = 0
    touched: int = 0

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
class Loop:
    """Neighbouring rows of one kind and label, drawn as one; `first` is the id of the first of them.

    `count` is how many there are; `members` are those and the timers between them.
    `shortest`, `median` and `longest` are the milliseconds that those took which ended, None while none did.
    """

    first: int
    members: tuple[Row, ...]
    count: int
    failed: int
    running: int
    shortest: float | None
    median: float | None
    longest: float | None
    touched: int

    @property
    def kind(self) -> Kind:
        """That of its rows, as is their label."""
        return self.members[0].kind

    @property
    def label(self) -> str:
        """What they are called."""
        return self.members[0].label

    @property
    def summary(self) -> str:
        """From which to which they go."""
        first, last = self.members[0].summary, self.members[-1].summary
        return first if first == last or not last else f"{first} … {last}"

    @property
    def start(self) -> datetime:
        """When the first of them began."""
        return self.members[0].start

    @property
    def started(self) -> datetime | None:
        """When work on the first of them began."""
        return self.members[0].started

    @property
    def end(self) -> datetime | None:
        """When all of them were over, None while one goes on."""
        return None if self.running else max(each.end for each in self.members if each.end)

    @property
    def is_open(self) -> bool:
        """Whether one of them goes on."""
        return self.running > 0

    @property
    def is_moment(self) -> bool:
        """A loop has a beginning and an end, even one of moments."""
        return False

    @property
    def state(self) -> State:
        """Running while one of them runs, failed when one failed."""
        if self.running:
            return "running"
        return "failed" if self.failed else self.members[-1].state


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run's rows in their order. `events_total` counts history events; `last_event_id` is the newest.

    `volatile` are the ids of rows that change without an event: what the server and the database add to them.
    `away` says why it is not as things stand now, but as they were known at `read_at`; "" when it is.
    """

    events_total: int
    rows: list[Row]
    began: datetime
    ended: datetime | None = None
    last_event_id: int = 0
    loops: list[Loop] = field(default_factory=list)
    volatile: frozenset[int] = frozenset()
    away: str = ""
    read_at: datetime | None = None
