"""Runs: find, start, cancel and terminate them, and read their histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from temporalio.client import WorkflowHistory

from engine.entry import Entry
from wippy_console.models import Decision, Run

__all__ = [
    "Page", "Started", "cancel", "children", "get", "history", "newer", "parent", "search", "start", "startable",
    "terminate", "visible", "workers",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """One page of runs, newest first. `next_cursor` is "" on the last page; pass it as `before`."""

    rows: list[Run]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """A run that was just started."""

    pid: str
    workflow_id: str
    run_id: str


def visible(user: Any) -> QuerySet[Run]:
    """The runs that the user may see: all with view_run, else none."""
    raise NotImplementedError


def search(
    user: Any, *, status: str = "", entry: str = "", text: str = "", waiting: bool = False, before: str = "", limit: int = 50
) -> Page:
    """A page of the visible runs, newest first.

    `text` matches workflow id, run id, pid or entry, exactly or by prefix; `waiting` keeps runs with an open question.
    """
    raise NotImplementedError


def get(user: Any, workflow_id: str, run_id: str) -> Run:
    """The run; NotFoundError."""
    raise NotImplementedError


def newer(run: Run) -> Run | None:
    """The newest run of the same workflow id when it is not this one."""
    raise NotImplementedError


def parent(run: Run) -> Run | None:
    """The run that started this one as a child."""
    raise NotImplementedError


def children(run: Run) -> QuerySet[Run]:
    """The runs that this one started as children, oldest first."""
    raise NotImplementedError


def startable(user: Any) -> list[Entry]:
    """The workflow.lua entries that the user may start."""
    raise NotImplementedError


def workers() -> list[Entry]:
    """The temporal.worker entries."""
    raise NotImplementedError


def start(user: Any, entry_id: str, worker: str, args: list[Any], workflow_id: str = "") -> Started:
    """Start a run and return at once; its Run row exists afterwards.

    Raises PermissionDenied; Refused (`fields` by path of the first argument, "" for the whole); NotFoundError;
    Conflict when a run with `workflow_id` is open; Unavailable.
    """
    raise NotImplementedError


def cancel(user: Any, run: Run, reason: str = "") -> Decision:
    """Ask the run to stop (CANCEL); Conflict when it has ended."""
    raise NotImplementedError


def terminate(user: Any, run: Run, reason: str) -> Decision:
    """End the run now; the reason is required. Conflict when it has ended."""
    raise NotImplementedError


def history(run: Run) -> WorkflowHistory:
    """Its whole history, from the archive or live from Temporal; NotFoundError when retention removed it, Unavailable."""
    raise NotImplementedError
