"""`manage.py call ENTRY [JSON...]`: runs a function on a worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from wippy_console.management.operations import ActingCommand, operator, parsed, shown
from wippy_console.services import processes


class Command(ActingCommand):
    """Call a function once and print its result."""

    help = "Runs a function on a worker and prints its result as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("entry", metavar="ENTRY")
        parser.add_argument("arguments", metavar="JSON", nargs="*", help="the arguments")
        parser.add_argument("--timeout", type=float, default=600, help="seconds that it may take")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Call it."""
        args = [parsed(text, f"argument {number}") for number, text in enumerate(options["arguments"], 1)]
        return {"result": processes.call(operator(options["acts_for"]), options["entry"], args, options["timeout"])}

    def text(self, data: dict[str, Any]) -> str:
        """The result."""
        return shown(data["result"])
