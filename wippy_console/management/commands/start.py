"""`manage.py start ENTRY`: starts a workflow on a worker, or a process on a node."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from engine.errors import Failure, UnitFailed
from wippy_console.management.operations import ActingCommand, failure_words, one_line, operator, parsed, shown
from wippy_console.services import processes, registry, runs
from wippy_console.services.errors import Refused


class Command(ActingCommand):
    """Start a unit and print its pid; with --wait also its result."""

    help = (
        "Starts a workflow.lua on a temporal.worker, or a process.lua on a process.host, and prints its pid. "
        "The run, or the feed, names you."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("entry", metavar="ENTRY")
        help_host = (
            "a temporal.worker or process.host; default: the one that the entry names, else the only one near it"
        )
        parser.add_argument("--host", default="", help=help_host)
        parser.add_argument("--id", default="", help="the workflow's id, or a name for the process")
        parser.add_argument(
            "--input", metavar="JSON", action="append", default=[], help="an argument; repeatable, in order"
        )
        parser.add_argument("--wait", action="store_true", help="wait for the end; exit 1 when it fails")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Start it as what it is."""
        args = [parsed(text, "--input") for text in options["input"]]
        kind = registry.entry(options["entry"]).kind
        match kind:
            case "workflow.lua":
                return _workflow(options, args)
            case "process.lua":
                return _process(options, args)
        raise Refused(f"{options['entry']} is a {kind}: only workflow.lua and process.lua can be started")

    def text(self, data: dict[str, Any]) -> str:
        """The pid, and on a line of its own the result."""
        return "\n".join([data["pid"], shown(data["result"])] if "result" in data else [data["pid"]])


def _workflow(options: dict[str, Any], args: list[Any]) -> dict[str, Any]:
    started = runs.start(operator(options["acts_for"]), options["entry"], options["host"], args, options["id"])
    data = {"pid": started.pid, "workflow_id": started.workflow_id, "run_id": started.run_id}
    if not options["wait"]:
        return data
    try:
        return {**data, "status": "completed", "result": runs.result(started)}
    except UnitFailed as error:
        return {**data, **_failed(error.failure)}


def _process(options: dict[str, Any], args: list[Any]) -> dict[str, Any]:
    entry, host, name = options["entry"], options["host"], options["id"]
    if not options["wait"]:
        return {"pid": processes.spawn(operator(options["acts_for"]), entry, host, args, name=name)}
    pid, ended = processes.run(operator(options["acts_for"]), entry, host, args, name=name)
    if isinstance(ended, Failure):
        return {"pid": pid, **_failed(ended)}
    return {"pid": pid, "status": "completed", "result": ended}


def _failed(failure: Failure) -> dict[str, Any]:
    return {"status": "failed", "failure": failure.to_json(), "error": one_line(failure_words(failure))}
