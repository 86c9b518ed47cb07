"""`manage.py cancel ID`: asks a run or a process to stop, or ends it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from wippy_console.management.operations import ActingCommand, operator
from wippy_console.management.targets import run_or_process
from wippy_console.models import Run
from wippy_console.services import decisions, processes


class Command(ActingCommand):
    """Ask it to stop; history, feed and audit name who did."""

    help = "Asks a run or a process to stop (CANCEL); with --terminate it is ended at once, and a reason is required."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("id", metavar="ID", help="a pid, or the workflow id or run id of a run")
        parser.add_argument("--reason", default="", help="why")
        parser.add_argument("--terminate", action="store_true", help="end it now, without its clean-up")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Do it."""
        user, ends = operator(options["acts_for"]), options["terminate"]
        target = run_or_process(user, options["id"])
        if isinstance(target, Run):
            act = decisions.terminate if ends else decisions.cancel
            act(user, target, options["reason"])
        else:
            (processes.terminate if ends else processes.cancel)(user, target, options["reason"])
        return {"pid": target.pid if isinstance(target, Run) else target, "done": "terminated" if ends else "asked"}

    def text(self, data: dict[str, Any]) -> str:
        """What was done to whom."""
        return f"terminated {data['pid']}" if data["done"] == "terminated" else f"asked {data['pid']} to stop"
