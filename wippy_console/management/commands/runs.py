"""`manage.py runs`: lists runs, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from wippy_console.management.operations import ReadingCommand, reader
from wippy_console.models import Run
from wippy_console.services import questions, runs, states


class Command(ReadingCommand):
    """List runs by page."""

    help = "Lists runs, newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the filters, the same as the page's."""
        super().add_arguments(parser)
        parser.add_argument("--status", default=[], action="append", choices=states.FILTERS, help="may be repeated")
        parser.add_argument("--entry", default="")
        parser.add_argument("--text", default="", help="any part of an id, title, entry or key")
        parser.add_argument("--key", default=[], action="append", help="a business key: order.id=42; may be repeated")
        parser.add_argument("--waiting", action="store_true", help="only runs that wait for an answer")
        parser.add_argument("--limit", type=int, default=50)
        parser.add_argument("--before", default="", help="the cursor that the page before ended with")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Find one page."""
        filters = {name: options[name] for name in ("entry", "text", "waiting")}
        wanted = runs.Wanted(**filters, statuses=tuple(options["status"]), keys=tuple(options["key"]))
        page = runs.search(reader(options["acts_for"]), wanted, before=options["before"], limit=options["limit"])
        asking, unserved = questions.asked_by(page.rows), states.unserved(page.rows)
        told = [_run(run, asking.get(run.run_id, []), run.run_id in unserved) for run in page.rows]
        return {"runs": told, "next": page.next_cursor}

    def text(self, data: dict[str, Any]) -> str:
        """A line for each run."""
        lines = [line for run in data["runs"] for line in _lines(run)]
        more = [f"more: --before {data['next']}"] if data["next"] else []
        return "\n".join([*lines, *more]) or "no runs"


def _lines(run: dict[str, Any]) -> Iterator[str]:
    state = run["state"]
    yield f"{run['started_at']}  {state['key']:<17} {run['entry_id']}  {run['pid']}"
    if when := _when(state):
        yield f"    {when}"
    if state.get("reason"):
        yield f"    {state['reason']}{', next try ' + state['next_at'] if state.get('next_at') else ''}"


def _when(state: dict[str, Any]) -> str:
    """When a run goes on by itself, or an answer is due."""
    match state["key"]:
        case states.SCHEDULED:
            return f"begins {state['next_at']}"
        case states.SLEEPING:
            return f"until {state['until']}"
        case states.WAITING if "until" in state:
            return f"to be answered until {state['until']}"
    return ""


def _run(run: Run, asks: list[str], unserved: bool) -> dict[str, Any]:
    return {
        "pid": run.pid,
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "entry_id": run.entry_id,
        "status": run.status,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "closed_at": run.closed_at.isoformat(timespec="seconds") if run.closed_at else None,
        "waiting": run.waiting,
        "waiting_totals": run.waiting_totals,
        "stuck": run.stuck_reason,
        "state": states.of(run, asks=bool(asks), unserved=unserved).to_json(),
        "asks": asks,
    }
