"""What a reset to a step would repeat, bring again and leave behind, as the run stands now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from wippy_console.models import Run
from wippy_console.services import histories, temporal, timeline
from wippy_console.services.errors import Refused
from wippy_console.services.resetting.points import boundary
from wippy_console.services.timeline import Row

OWN = "wippy."
"""The engine's own steps, which nobody looks for."""
_COMMANDS = ("activity", "local", "timer", "child", "external")
_CHOICES = 40
_OPEN = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING


@dataclass(frozen=True, slots=True)
class Current:
    """Temporal's current run of the workflow id: an open one ends with the reset."""

    run_id: str
    is_open: bool
    reset_run_id: str = ""
    """To which run the one that is to be reset was reset before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens. `point` is the workflow task that is carried out anew; `seen` names all that a person decided on.

    `repeated` came after the point: code may ask for it again. `cut_short` are calls that were under way at the point
    and are made again. `children` after the point that go on running, `kept` ones from before that stay children.
    """

    point: int
    at: datetime
    current: Current
    repeated: list[Row]
    cut_short: list[Row]
    children: list[Row]
    kept: list[Row]
    signals: list[Row]
    updates: list[Row]

    @property
    def seen(self) -> str:
        """The same as long as nothing happened that changes what is decided."""
        came = len(self.signals) + len(self.updates)
        return f"{self.current.run_id}:{'open' if self.current.is_open else 'closed'}:{came}"

    @property
    def has_effects(self) -> bool:
        """Whether anything that reached out of the workflow is done once more."""
        return bool(self.cut_short) or any(row.kind != "timer" for row in self.repeated)


def plan(user: Any, run: Run, event_id: int) -> Plan:
    """What a reset to that event does; Refused, NotFoundError, Unavailable."""
    current = current_of(run)
    events = histories.read(run).events
    point = boundary(events, event_id)
    at = next(event.event_time.ToDatetime(tzinfo=UTC) for event in events if event.event_id == point)
    rows = [row for row in timeline.rows(run, user).rows if row.id > 0 and not row.label.startswith(OWN)]
    after, before = [row for row in rows if row.id > point], [row for row in rows if row.id < point]
    return Plan(
        point=point,
        at=at,
        current=current,
        repeated=[row for row in after if row.kind in _COMMANDS],
        cut_short=[row for row in before if row.kind == "activity" and _ended_after(row, point)],
        children=[row for row in after if row.kind == "child" and row.is_open],
        kept=[row for row in before if row.kind == "child" and row.is_open],
        signals=[row for row in after if row.kind == "signal" and row.label != "CANCEL"],
        updates=[row for row in after if row.kind == "update"],
    )


def current_of(run: Run) -> Current:
    """As Temporal has it now; Refused when it has forgotten the run."""
    client = temporal.client(run.client)
    try:
        newest = temporal.run(client.get_workflow_handle(run.workflow_id).describe())
        known = temporal.run(client.get_workflow_handle(run.workflow_id, run_id=run.run_id).describe())
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise Refused("Temporal no longer has this run, so it can't be reset. Start it again instead.") from error
        raise
    is_open = newest.raw_description.workflow_execution_info.status == _OPEN
    return Current(newest.run_id, is_open, known.raw_description.workflow_extended_info.reset_run_id)


def choices(user: Any, run: Run) -> list[Row]:
    """Steps to choose from: the first, and the newest ones; nearer ones stand on the timeline."""
    rows = timeline.rows(run, user).rows
    found = [row for row in rows if row.id > 1 and row.kind in (*_COMMANDS, "signal") and not row.label.startswith(OWN)]
    return [*(row for row in rows if row.id == 1), *found[-_CHOICES:]]


def likely(rows: list[Row]) -> int:
    """The step that a person most likely means: the last that failed, else the last."""
    failed = [row.id for row in rows if row.id > 1 and row.state in ("failed", "timed_out")]
    return failed[-1] if failed else rows[-1].id if rows else 1


def _ended_after(row: Row, point: int) -> bool:
    return row.is_open or any(event.id > point for event in row.events[-1:])
