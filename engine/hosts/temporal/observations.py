"""Observations: what a node learns about runs. Steps (never in replay), calls that keep failing, starts elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.errors import Failure
from engine.steps import Value, Wait


@dataclass(frozen=True, slots=True)
class Observation:
    """One run after one step. `status` is running, or closing when the step ended it.

    `client` and `worker` are entry ids; `digest` names the program. `history_length` counts the events that the
    run had when its task began. `input` holds the arguments in the first observation of a run, else None.
    `parent_*` are "" for a run without a parent. `at` is the wall clock of the node. `waits` may be less than all of
    them; `totals` counts all by kind, and is empty where all are listed. `topics` are those of the messages that the
    step took, `refused` the ids of updates that it refused; the first of them.
    """

    workflow_id: str
    run_id: str
    entry_id: str
    pid: str
    client: str
    worker: str
    task_queue: str
    namespace: str
    digest: str
    registry_version: int
    history_length: int
    status: str
    waits: tuple[Wait, ...]
    at: datetime
    started_at: datetime
    input: tuple[Value, ...] | None = None
    parent_workflow_id: str = ""
    parent_run_id: str = ""
    first_run_id: str = ""
    continued_run_id: str = ""
    totals: Mapping[str, int] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


FIRST_TOLD = 4
"""The attempt from which on a call is one that keeps failing: it failed three times."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """A call of a run that keeps failing and is tried again: `attempt` is the one that comes, from `FIRST_TOLD`.

    `failure` is the last one, None when the attempt did not answer; `next_at` None means that an attempt is under way.
    Of a local activity (`local`) the server knows nothing.
    """

    run_id: str
    call_id: str
    name: str
    attempt: int
    failure: Failure | None = None
    next_at: datetime | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """A call that was told as Retrying is over, well or badly."""

    run_id: str
    call_id: str


@dataclass(frozen=True, slots=True)
class StartedElsewhere:
    """A unit of this node started a run on another task queue than its worker's; who works on it need not tell us."""

    client: str
    worker: str
    task_queue: str
    workflow_id: str
    run_id: str
    entry_id: str
    at: datetime
    input: tuple[Value, ...]
    parent_workflow_id: str = ""
    parent_run_id: str = ""


Observed = Observation | Retrying | Settled | StartedElsewhere
Observe = Callable[[Observed], None]


def ignore(observation: Observed) -> None:
    """The observer of hosts that nobody watches."""


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)
