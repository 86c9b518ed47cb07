"""What `up` tells the person at the terminal, or the program that reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Protocol


@dataclass(frozen=True)
class Login:
    """The first administrator's login; the password exists nowhere else in clear text."""

    username: str
    password: str


@dataclass(frozen=True)
class Ready:
    """Everything runs."""

    url: str
    temporal: str
    logs: str
    seconds: float


class Out(Protocol):
    """Where text goes: a file or a Django command's output."""

    def write(self, text: str, /) -> object:
        """Write text that ends with a new line."""

    def flush(self) -> None:
        """Let it be seen now."""


class Report(Protocol):
    """Where `up` tells its progress."""

    def step(self, number: int, total: int, name: str, outcome: str, seconds: float) -> None:
        """Tell that a step is done."""

    def event(self, source: str, text: str) -> None:
        """Tell that something happened to a child, or an important line of its output."""

    def login(self, login: Login) -> None:
        """Show the first administrator's password; called once in the life of an installation."""

    def ready(self, ready: Ready) -> None:
        """Tell that everything runs."""


@dataclass(frozen=True)
class TextReport:
    """For people."""

    out: Out

    def step(self, number: int, total: int, name: str, outcome: str, seconds: float) -> None:
        """Print one line per step."""
        self._print(f"[{number}/{total}] {name:<34} {outcome} ({seconds:.1f} s)")

    def event(self, source: str, text: str) -> None:
        """Print the line prefixed by the child's name."""
        self._print(f"{source:>8} | {text}")

    def login(self, login: Login) -> None:
        """Print the password."""
        self._print(f"\n  First administrator: {login.username}\n  Password:            {login.password}")
        self._print("  It is shown only this once; `manage.py changepassword admin` sets another.")

    def ready(self, ready: Ready) -> None:
        """Print the address."""
        self._print(f"\n  Wippy Console runs at {ready.url} (started in {ready.seconds:.1f} s)")
        self._print(f"  Temporal: {ready.temporal}\n  Logs: {ready.logs}\n  Ctrl-C stops everything.\n")

    def _print(self, line: str) -> None:
        self.out.write(line + "\n")
        self.out.flush()


@dataclass(frozen=True)
class JsonReport:
    """For programs: one JSON object per line, each with a `type`."""

    out: Out

    def step(self, number: int, total: int, name: str, outcome: str, seconds: float) -> None:
        """Write a `step` object."""
        self._write("step", number=number, total=total, name=name, outcome=outcome, seconds=round(seconds, 3))

    def event(self, source: str, text: str) -> None:
        """Write an `event` object."""
        self._write("event", source=source, text=text)

    def login(self, login: Login) -> None:
        """Write a `login` object."""
        self._write("login", **asdict(login))

    def ready(self, ready: Ready) -> None:
        """Write a `ready` object."""
        self._write("ready", **asdict(ready))

    def _write(self, kind: str, **fields: object) -> None:
        self.out.write(json.dumps({"type": kind, **fields}) + "\n")
        self.out.flush()


class Progress:
    """Numbers the steps and times them."""

    def __init__(self, report: Report, total: int) -> None:
        self._report = report
        self._total = total
        self._number = 0

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time one step; what the block puts into the list is told as its outcome, else "done"."""
        self._number += 1
        outcome: list[str] = []
        began = time.monotonic()
        yield outcome
        seconds = time.monotonic() - began
        self._report.step(self._number, self._total, name, ", ".join(outcome) or "done", seconds)
