"""The source that a run really runs: of its program, whatever the registry has become since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.errors import UnitFailed
from wippy_console.models import Program, Run, Version
from wippy_console.services import registry
from wippy_console.services.errors import NotFoundError

_PLACE = re.compile(r"^(?P<before>\s*)(?P<entry>[\w.-]+:[\w./-]+):(?P<line>\d+)(?=:)", re.ASCII)
MOST_LINES = 200
"""Lines of a stack that are shown."""


@dataclass(frozen=True, slots=True)
class StackLine:
    """A line of a traceback; `entry` and `line` are set where it names a place in the source."""

    before: str
    entry: str
    line: int
    rest: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source text. `version` is that of the registry it was published with, None where the program itself has it."""

    entry_id: str
    text: str
    version: int | None
    is_current: bool

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines() or [""]


def stack_lines(text: str | None) -> Iterator[StackLine]:
    """The lines of a traceback or a message, those with a place in Lua code apart."""
    for each in (text or "").splitlines()[:MOST_LINES]:  # a failure that was cut has none
        if found := _PLACE.match(each):
            yield StackLine(found["before"], found["entry"], int(found["line"][:9]), each[found.end() :])
        else:
            yield StackLine(each, "", 0, "")


def source_of(run: Run, entry_id: str, user: Any) -> Source:
    """The source of an entry as the run has it: in its program, else of the run's registry version; NotFoundError."""
    if not registry.sees(user, entry_id):
        raise NotFoundError(f"There is no entry {entry_id}.")
    current = _text(entry_id, None)
    own = _of_program(run, entry_id)
    if own is not None:
        return Source(entry_id, own, None, own == current)
    at = run.registry_version or _newest_at(run)
    text = _text(entry_id, at) if at is not None else None
    if text is None:
        text, at = current, None
    if text is None:
        raise NotFoundError(f"There is no source of {entry_id} that run {run.run_id} could have run.")
    return Source(entry_id, text, at or registry.current_number(), text == current)


def _of_program(run: Run, entry_id: str) -> str | None:
    program = Program.objects.filter(digest=run.program).first() if run.program else None
    chunk = program.content.get("chunks", {}).get(entry_id) if program else None
    return str(chunk["source"]) if chunk else None


def _newest_at(run: Run) -> int | None:
    """The version that the registry had when a run began of which its worker has told nothing yet."""
    rows = Version.objects.filter(created_at__lte=run.started_at).order_by("-number")
    return rows.values_list("number", flat=True).first()


def _text(entry_id: str, at: int | None) -> str | None:
    try:
        source = registry.entry(entry_id, at=at).data.get("source")
    except (NotFoundError, UnitFailed):
        return None
    return source if isinstance(source, str) else None
