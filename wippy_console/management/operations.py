"""What the commands for operators share: JSON in and out, errors in one line, a non-zero exit."""

from __future__ import annotations

import json
import os
import pwd
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from temporalio.service import RPCError

from engine.errors import EngineError, Failure, UnitFailed
from wippy_console.services import accounts
from wippy_console.services.errors import Refused


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
            data = {"error": one_line(in_words(error))}
        self._print(data, as_json=options["json"])
        if data.get("error"):
            raise CommandError(data["error"])

    def _print(self, data: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(data, ensure_ascii=False, default=str))
        elif set(data) != {"error"}:
            self.stdout.write(self.text(data))


def parsed(text: str, what: str) -> Any:
    """The JSON value; Refused says what is wrong where."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(f"{what} is not JSON ({error}); put texts into double quotes inside single ones") from None


def in_words(error: Exception) -> str:
    """The error for a person; refused fields are named."""
    match error:
        case Refused(message=message, fields=fields):
            more = {name: [text for text in texts if text != message] for name, texts in fields.items()}
            named = [f"{name}: {' '.join(texts)}" if name else " ".join(texts) for name, texts in more.items() if texts]
            return f"{message} {' '.join(named)}".strip()
        case UnitFailed(failure=failure):
            return failure_words(failure)
    return str(error) or type(error).__name__


def failure_words(failure: Failure) -> str:
    """Kind and message."""
    return f"{failure.kind}: {failure.message}" if failure.kind else failure.message


def one_line(text: str) -> str:
    """The text on one line and without what a terminal would obey."""
    return " ".join("".join(char if char.isprintable() or char.isspace() else "?" for char in text).split())


def shown(value: Any) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False)


def operator() -> User:
    """The account of who is at the command line, as the operating system says: LOGNAME may say anything."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        name = str(os.getuid())
    return accounts.command_line(name)
