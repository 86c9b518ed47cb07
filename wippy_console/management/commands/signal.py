"""`manage.py signal PID TOPIC [JSON]`: sends a workflow a signal, or a process a message."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from engine.pids import Pid
from wippy_console.management.operations import OperationCommand, operator, parsed
from wippy_console.services import decisions, processes, runs
from wippy_console.services.errors import Conflict, Refused


class Command(OperationCommand):
    """Send one message; the history names who did."""

    help = "Sends a workflow a signal, or a process a message. The feed and the audit name you as cli:<your user name>."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("pid", metavar="PID")
        parser.add_argument("topic", metavar="TOPIC")
        parser.add_argument("payload", metavar="JSON", nargs="?", help="the payload; none at all when left out")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Send it."""
        payload = [] if options["payload"] is None else [parsed(options["payload"], "the payload")]
        _send(options["pid"], options["topic"], payload)
        return {"pid": options["pid"], "topic": options["topic"], "sent": True}

    def text(self, data: dict[str, Any]) -> str:
        """What was sent where."""
        return f"sent {data['topic']} to {data['pid']}"


def _send(pid: str, topic: str, payload: list[Any]) -> None:
    found = Pid.parse(pid)
    if found is None:
        raise Refused(f"{pid!r} is no pid: it looks like {{client@worker|id}}, with its braces.")
    if runs.is_run(found):
        _signal(found, topic, payload)
    else:
        processes.message(operator(), pid, topic, *payload)


def _signal(pid: Pid, topic: str, payload: list[Any]) -> None:
    """To the newest run, also when it continued as another just now."""
    run = runs.latest(pid)
    try:
        decisions.send_raw(operator(), run, topic, *payload)
    except Conflict:
        newer = runs.latest(pid)
        if newer == run:
            raise
        decisions.send_raw(operator(), newer, topic, *payload)
