"""`manage.py runs`: lists runs, newest first."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from wippy_console.management.operations import OperationCommand
from wippy_console.models import Run
from wippy_console.services import runs


class Command(OperationCommand):
    """List runs by page."""

    help = "Lists runs, newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the filters, the same as the page's."""
        super().add_arguments(parser)
        parser.add_argument("--status", default="", choices=["", *Run.Status.values])
        parser.add_argument("--entry", default="")
        parser.add_argument("--text", default="", help="any id, or how it begins")
        parser.add_argument("--waiting", action="store_true", help="only runs that wait for an answer")
        parser.add_argument("--limit", type=int, default=50)
        parser.add_argument("--before", default="", help="the cursor that the page before ended with")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Find one page."""
        filters = {name: options[name] for name in ("status", "entry", "text", "waiting", "limit", "before")}
        page = runs.search(None, **filters)
        return {"runs": [_run(run) for run in page.rows], "next": page.next_cursor}

    def text(self, data: dict[str, Any]) -> str:
        """A line for each run."""
        lines = [f"{run['started_at']}  {run['status']:<17} {run['entry_id']}  {run['pid']}" for run in data["runs"]]
        more = [f"more: --before {data['next']}"] if data["next"] else []
        return "\n".join([*lines, *more]) or "no runs"


def _run(run: Run) -> dict[str, Any]:
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
    }
