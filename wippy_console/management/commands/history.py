"""`manage.py history PID`: prints what a run did, event by event."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from wippy_console.management.operations import ReadingCommand, reader
from wippy_console.services import masking, runs, timeline


class Command(ReadingCommand):
    """Print the history of a run."""

    help = "Prints the history of a run, from Temporal or from the archive."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        help_unmask = "show masked values as well, for this reason, which the audit keeps"
        parser.add_argument("--unmask", metavar="REASON", default="", help=help_unmask)
        parser.add_argument("pid", metavar="PID", help="a pid (its newest run), a workflow id or a run id")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Read it."""
        user = reader(options["acts_for"])
        run = runs.by_pid(user, options["pid"])
        if options["unmask"]:
            masking.show(user, run, options["unmask"])
        events = [timeline.event_json(event) for event in runs.history(run, user).events]
        return {"pid": run.pid, "workflow_id": run.workflow_id, "run_id": run.run_id, "events": events}

    def text(self, data: dict[str, Any]) -> str:
        """A line for each event."""
        return "\n".join(f"{event['id']:>6}  {event['at']}  {event['type']}" for event in data["events"])
