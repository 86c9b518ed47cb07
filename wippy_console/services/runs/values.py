"""What the service of runs answers with."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import UnitFailed
from wippy_console.models import Run


@dataclass(frozen=True, slots=True)
class Page:
    """One page of runs, newest first. `next_cursor` is "" on the last page; pass it as `before`."""

    rows: list[Run]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """A run that was just started, or `before`: by an earlier try of the same start."""

    pid: str
    workflow_id: str
    run_id: str
    before: bool = False


class StillRunningError(UnitFailed):
    """A run that goes on was waited for as long as its caller has time."""
