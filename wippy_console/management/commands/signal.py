"""`manage.py signal PID TOPIC [JSON]`: sends a workflow a signal, or a process a message."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from wippy_console.management.operations import OperationCommand, operator, parsed
from wippy_console.services import units


class Command(OperationCommand):
    """Send one message; the history names who did."""

    help = "Sends a workflow a signal, or a process a message."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("pid", metavar="PID")
        parser.add_argument("topic", metavar="TOPIC")
        parser.add_argument("payload", metavar="JSON", nargs="?", help="the payload; none at all when left out")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Send it."""
        values = () if options["payload"] is None else (parsed(options["payload"], "the payload"),)
        units.send(None, options["pid"], options["topic"], values, operator())
        return {"pid": options["pid"], "topic": options["topic"], "sent": True}

    def text(self, data: dict[str, Any]) -> str:
        """What was sent where."""
        return f"sent {data['topic']} to {data['pid']}"
