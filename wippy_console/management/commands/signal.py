"""`manage.py signal ID TOPIC [JSON]`: sends a run a signal, or a process a message."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from wippy_console.management.operations import ActingCommand, operator, parsed, shown
from wippy_console.management.targets import run_or_process
from wippy_console.models import Decision, Run, Vote
from wippy_console.services import decisions, processes, runs
from wippy_console.services.errors import Refused, RunEnded

FOR_RUNS = ("reason", "label", "raw")


class Command(ActingCommand):
    """Send one message; history, feed and audit name who did."""

    help = (
        "Sends a run a signal, or a process a message. A topic that the run's entry declares is answered as in the "
        "console: its role, schema and rule of reasons hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("id", metavar="ID", help="a pid, or the workflow id or run id of a run")
        parser.add_argument("topic", metavar="TOPIC")
        parser.add_argument("payload", metavar="JSON", nargs="?", help="the payload; none at all when left out")
        parser.add_argument("--reason", default="", help="of runs: why; some answers require it")
        parser.add_argument("--label", default="", help="of runs: which of several declared answers it is")
        parser.add_argument("--raw", action="store_true", help="of runs: past what the entry declares; no answer")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Send it."""
        payload = [] if options["payload"] is None else [parsed(options["payload"], "JSON")]
        user, topic = operator(options["acts_for"]), options["topic"]
        target = run_or_process(user, options["id"])
        made = None
        if isinstance(target, Run):
            made = _signal(user, target, topic, payload, options)
            pid = target.pid
        else:
            pid = target
            _refuse_flags(options)
            processes.message(user, pid, topic, *payload)
        if isinstance(made, Vote):
            return {"pid": pid, "topic": topic, "sent": False, "voted": made.label}
        verdict = {} if made is None or made.verdict is None else {"verdict": made.verdict}
        return {"pid": pid, "topic": topic, "sent": True, **verdict}

    def text(self, data: dict[str, Any]) -> str:
        """What was sent where, or that it was counted as a vote."""
        if "voted" in data:
            return (
                f"counted your vote “{data['voted']}”; {data['topic']} goes to {data['pid']} when enough others agree"
            )
        if "verdict" in data:
            return f"sent {data['topic']} to {data['pid']}, which says: {shown(data['verdict'])}"
        return f"sent {data['topic']} to {data['pid']}"


def _refuse_flags(options: dict[str, Any]) -> None:
    """What a message to a process has no place for is not dropped without a word."""
    given = [name for name in FOR_RUNS if options[name]]
    if given:
        text = "This is of messages to runs alone; a process has no use for it."
        raise Refused(text, {name: [text] for name in given})


def _signal(user: User, run: Run, topic: str, payload: list[Any], options: dict[str, Any]) -> Decision | Vote:
    """To the newest run, also when it continued as another just now: an answer goes to no other run than was asked."""
    try:
        return _send(user, run, topic, payload, options)
    except RunEnded:
        newer = None if options["id"] == run.run_id else runs.succeeding(run)
        if newer is None:
            raise
        return _send(user, newer, topic, payload, options)


def _send(user: User, run: Run, topic: str, payload: list[Any], options: dict[str, Any]) -> Decision | Vote:
    if options["raw"]:
        return decisions.send_raw(user, run, topic, *payload, reason=options["reason"])
    return decisions.send(user, run, topic, *payload, reason=options["reason"], label=options["label"])
