"""Entries and problems of the registry in requests and answers, and where in a request a problem stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from engine.entry import Entry, without_nulls
from engine.registry.problems import Problem, errors_in
from wippy_console.api.shapes import Body, Json, Text
from wippy_console.services.errors import Refused

Place = tuple[str | int, ...]

Id = Annotated[Text, Field(max_length=500)]
Kind = Annotated[Text, Field(max_length=100)]
Why = Annotated[Text, Field(max_length=2000, description="a line for the list of versions")]


class EntryBody(Body):
    """An entry: its kind, what is told of it, and its fields, of which `source` is the Lua text itself."""

    kind: Kind
    meta: dict[str, Json] = {}
    data: dict[str, Json] = {}


class NamedEntry(EntryBody):
    """An entry with its id."""

    entry: Id


class ProblemOut(Schema):
    """What is wrong with an entry. An error forbids publishing, a warning only informs.

    `field` is a dotted path in the entry, `line` is one of `file`, or of the entry's Lua text.
    """

    entry: str
    field: str
    file: str
    line: int | None
    severity: str
    message: str
    hint: str


def problem_out(problem: Problem) -> dict[str, Any]:
    """A problem as answers have it."""
    told = problem.to_json()
    return {**told, "entry": told.pop("entry_id")}


def refused(message: str, problems: Iterable[Problem], place: Callable[[Problem], Place]) -> Refused:
    """The refusal of a request, each error at its place in the body."""
    paths: dict[Place, list[str]] = {}
    for each in errors_in(problems):
        paths.setdefault(place(each), []).append(_sentence(each))
    return Refused(message, paths=paths)


def counted(problems: Sequence[Problem]) -> str:
    """How many errors there are, in words."""
    count = len(errors_in(problems))
    return f"{count} problem{'' if count == 1 else 's'}, nothing was changed."


def place_in_entry(field: str) -> Place:
    """Where a field stands in an `EntryBody`; a name stands in the address."""
    steps: Place = tuple(int(part) if part.isdecimal() else part for part in field.split(".") if part)
    if not steps or steps == ("name",):
        return ()
    return steps if steps[0] in ("kind", "meta") else ("data", *steps)


def entry_of(entry_id: str, body: EntryBody) -> Entry:
    """The entry that a body describes."""
    return without_nulls(Entry(entry_id, body.kind, body.meta, body.data))


def _sentence(problem: Problem) -> str:
    line = f"line {problem.line}: " if problem.line else ""
    who = f"{problem.entry_id}: " if problem.entry_id else ""
    return f"{line}{who}{problem.message}{f' ({problem.hint})' if problem.hint else ''}"
