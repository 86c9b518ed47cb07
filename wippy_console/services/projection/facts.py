"""What can become known about a run. An `Observation` tells of a step; the others come from Temporal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.errors import Failure
from engine.hosts.temporal.observations import Observation, Retrying, Settled, StartedElsewhere


@dataclass(frozen=True, slots=True)
class Ref:
    """Names one run; `client` is the temporal.client entry that reaches it."""

    client: str
    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Began:
    """How a run began. `input` None means not known yet; `started_by` is a user's id; `starts_at` only when later.

    `first_run_id` names its chain, `previous_run_id` the run that it continues, retries or was reset from.
    `starter` is the name of that user where a history tells it, "" when nobody of the console started it; `spawner` is
    the pid of the process or function that did, where a history tells that.
    """

    ref: Ref
    entry_id: str
    started_at: datetime
    worker: str = ""
    task_queue: str = ""
    program: str = ""
    registry_version: int | None = None
    input: tuple[Any, ...] | None = None
    parent_workflow_id: str = ""
    parent_run_id: str = ""
    started_by: int | None = None
    starter: str = ""
    spawner: str = ""
    starts_at: datetime | None = None
    first_run_id: str = ""
    previous_run_id: str = ""

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.ref.run_id


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `history` is the archive's content, None when Temporal has none any more."""

    began: Began
    status: str
    closed_at: datetime
    history_length: int
    result: Any = None
    failure: Failure | None = None
    new_run_id: str = ""
    history: bytes | None = field(default=None, repr=False)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.began.run_id


@dataclass(frozen=True, slots=True)
class Stalled:
    """A run does not get on and why, or (`reason` "") that it moves again; `retrying` are all that keep failing.

    `at` is when the look began that found it: what was written since is newer.
    """

    run_id: str
    reason: str
    attempt: int = 0
    retrying: tuple[Retrying, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Vanished:
    """Temporal has no record of the run any more: nobody can say how it ended. Unknown runs stay unknown."""

    run_id: str
    at: datetime


Fact = Observation | Retrying | Settled | StartedElsewhere | Began | Ended | Stalled | Vanished
