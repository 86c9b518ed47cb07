"""Case files: `cases/sNN_topic.lua`, each function of their table one behaviour.

    --- 5.1 Identity, send, receive
    local M = {}

    -- on: function process
    -- modules: time funcs
    --- A message that arrives before inbox() is not lost
    function M.early_message_is_kept(env)

The first line names the section. `on:` and `modules:` may be left out: every unit, no module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "cases"
UNITS = ("function", "process", "workflow")

_FILE = re.compile(r"s(\d\d)_[a-z0-9_]+")
_HEAD = re.compile(r"--- (\d+(?:\.\d+)?) (.+)")
_FUNCTION = re.compile(r"function M\.(\w+)\(")
_FIELD = re.compile(r"-- (on|modules): *(.*)")


class CaseError(Exception):
    """A case file that is not written as the format wants it; the text begins with file:line."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One case file."""

    name: str
    section: int
    part: str
    title: str
    source: str
    file: str
    """From the root of the project."""

    @property
    def namespace(self) -> str:
        """The namespace of its entries."""
        return f"conf.{self.name}"


@dataclass(frozen=True, slots=True)
class Case:
    """One promised behaviour, as a function of its topic."""

    topic: Topic
    name: str
    behaviour: str
    units: tuple[str, ...]
    modules: tuple[str, ...]
    line: int

    def entry_id(self, unit: str) -> str:
        """The id of the entry that runs it as that kind of unit."""
        return f"{self.topic.namespace}:{self.name}.{unit}"

    def __str__(self) -> str:
        return f"{self.topic.name}::{self.name}"


@cache
def cases() -> tuple[Case, ...]:
    """Every case, in the order of files and lines."""
    return tuple(case for path in sorted(FOLDER.glob("*.lua")) for case in parse(path.stem, path.read_text("utf-8")))


def parse(name: str, text: str) -> list[Case]:
    """The cases of one file, `name` without its `.lua`; raises CaseError."""
    lines = text.splitlines()
    topic = _topic(name, lines[0] if lines else "", text)
    found = [
        _case(topic, match[1], number, list(_comment(lines, number - 1)))
        for number, line in enumerate(lines, 1)
        if (match := _FUNCTION.match(line))
    ]
    if not found:
        raise CaseError(f"{topic.file}:1: holds no `function M.name()` at the beginning of a line")
    if len({case.name for case in found}) < len(found):
        raise CaseError(f"{topic.file}:1: two cases have the same name")
    return found


def _topic(name: str, first: str, text: str) -> Topic:
    file, head = _FILE.fullmatch(name), _HEAD.fullmatch(first)
    path = f"tests/conformance/cases/{name}.lua"
    if file is None:
        raise CaseError(f"{path}:1: a case file is called sNN_topic.lua")
    if head is None or int(head[1].partition(".")[0]) != int(file[1]):
        raise CaseError(
            f"{path}:1: the first line must be `--- {int(file[1])}.N Title`, of the section in the file's name"
        )
    return Topic(name, int(file[1]), head[1], head[2], text, path)


def _comment(lines: list[str], end: int) -> Iterator[str]:
    """The comment lines right above `lines[end]`, first one first."""
    start = end
    while start > 0 and lines[start - 1].startswith("--"):
        start -= 1
    yield from lines[start:end]


def _case(topic: Topic, name: str, line: int, comment: list[str]) -> Case:
    fields = {match[1]: tuple(match[2].split()) for text in comment if (match := _FIELD.fullmatch(text.rstrip()))}
    behaviour = " ".join(text.removeprefix("---").strip() for text in comment if text.startswith("---"))
    units = fields.get("on", UNITS)
    if not behaviour:
        raise CaseError(f"{topic.file}:{line}: say above `{name}`, after `---`, what it promises")
    if not units or set(units) - set(UNITS):
        raise CaseError(f"{topic.file}:{line}: `on:` names some of: {' '.join(UNITS)}")
    return Case(topic, name, behaviour, units, fields.get("modules", ()), line)
