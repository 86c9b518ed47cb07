"""What the commands for operators share: JSON in and out, errors in one line, a non-zero exit."""

from __future__ import annotations

import json
import os
import pwd
import re
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from temporalio.service import RPCError

from engine.errors import INTERNAL, EngineError, Failure, UnitFailed
from wippy_console.database.storable import storable
from wippy_console.services import accounts, exact
from wippy_console.services.errors import Refused
from wippy_console.services.exact import NotExactError


class OperationCommand(BaseCommand):
    """A command whose `operate` returns JSON data; `text` says the same for people."""

    requires_migrations_checks = False
    requires_system_checks = ()  # those look at every page, and are made by what serves and works

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --json, which all have."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Do it. The key `error`, when it is there and not None, makes the command fail after printing."""
        raise NotImplementedError

    def text(self, data: dict[str, Any]) -> str:
        """The data for a terminal."""
        raise NotImplementedError

    def handle(self, *_: Any, **options: Any) -> None:
        """Operate, and print what came of it."""
        try:
            data = self.operate(options)
        except (Refused, PermissionDenied, EngineError, RPCError, DatabaseError) as error:
            data = {"error": one_line(in_words(error)), **_stack(error)}
        self._print(data, as_json=options["json"])
        if data.get("error"):
            raise CommandError("\n".join([data["error"], *data.get("stack", [])]))

    def _print(self, data: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(shown(data))
        elif not data.keys() <= {"error", "stack"}:
            self.stdout.write(self.text(data))


def parsed(text: str, what: str) -> Any:
    """The JSON value, exactly; Refused says what is wrong where."""
    try:
        return exact.json_value(text)
    except NotExactError as error:
        raise Refused(f"{what}: {error} Put texts into double quotes inside single ones.") from None


FLAGS = {
    "host": "--host",
    "worker": "--host",
    "workflow_id": "--id",
    "name": "--id",
    "reason": "--reason",
    "label": "--label",
    "raw": "--raw",
    "as": "--as",
}
"""What people gave on the command line, by the names that services have for it."""


def in_words(error: Exception) -> str:
    """The error for a person; refused fields are named, flags as they are written."""
    match error:
        case Refused(message=message, named=named, paths=paths):
            flags = {FLAGS.get(name, name): texts for name, texts in named.items()}
            places = {".".join(map(str, path)): texts for path, texts in paths.items()}
            told = [_field(*each, message) for each in (*places.items(), *flags.items())]
            before = [f"{flag}:" for flag, texts in flags.items() if flag and message in texts]
            return " ".join([*before, message, *filter(None, told)])
        case UnitFailed(failure=failure):
            return failure_words(failure)
    return str(error) or type(error).__name__


def _field(name: str, texts: list[str], message: str) -> str:
    others = " ".join(text for text in texts if text != message)
    return f"{name}: {others}" if name and others else others


def failure_words(failure: Failure) -> str:
    """Kind and message."""
    return f"{failure.kind}: {failure.message}" if failure.kind else failure.message


_PLACE = re.compile(r":\d+: in ")
"""What a traceback of Lua or Python has, unless the code returned the error."""


def _stack(error: Exception) -> dict[str, list[str]]:
    """Where code failed that did not say how: the lines of its traceback."""
    if not isinstance(error, UnitFailed) or error.failure.kind != INTERNAL:
        return {}
    stack = error.failure.stack
    if not _PLACE.search(stack):
        return {}
    lines = [line.expandtabs(2) for line in stack.splitlines()]
    return {"stack": [f"  {' ' * (len(line) - len(line.lstrip()))}{one_line(line)}" for line in lines]}


def one_line(text: str) -> str:
    """The text on one line and without what a terminal would obey."""
    return " ".join("".join(char if char.isprintable() or char.isspace() else "?" for char in text).split())


def shown(value: Any) -> str:
    """A value as JSON text; bytes as on the wire."""
    return json.dumps(value, ensure_ascii=False, default=_odd)


def _odd(value: Any) -> Any:
    """What JSON has no form for."""
    return storable(value) if isinstance(value, bytes) else str(value)


class ActingCommand(OperationCommand):
    """A command that does something in somebody's name."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --as, which all have."""
        super().add_arguments(parser)
        parser.add_argument(
            "--as", dest="acts_for", metavar="USER", default="",
            help="act for a user of the console, with that user's rights; the audit names both. Default: yourself, "
            "with every right, named as cli:<your user name>",
        )  # fmt: skip


def operator(acts_for: str = "") -> User:
    """The account of who is at the command line, to act by."""
    return accounts.on_behalf(_name(), acts_for) if acts_for else accounts.command_line(_name())


class ReadingCommand(OperationCommand):
    """A command that shows what somebody may see."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --as, which all have."""
        super().add_arguments(parser)
        text = "show only what a user of the console may see. Default: everything"
        parser.add_argument("--as", dest="acts_for", metavar="USER", default="", help=text)


def reader(acts_for: str = "") -> User:
    """The same for commands that only read: no account is made."""
    return accounts.named(acts_for) if acts_for else accounts.reading(_name())


def _name() -> str:
    """As the operating system says: LOGNAME may say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        return str(os.getuid())
