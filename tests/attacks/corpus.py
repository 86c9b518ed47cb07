"""The files of the corpus. The comment at the head of each says what it is:

-- What it does, in a sentence.
-- kinds: function process workflow      as what it is run
-- ends: LimitExceeded returned          how it may end: `returned`, kinds of errors, `waiting` (it never would)
-- cost: cheap                           whether the suite runs it too; else `dear`
-- memory: many                          what it may cost beside the slack: one unit, or many: a host's budget
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
FIELD = re.compile(r"^-- (kinds|ends|cost|memory): (.*)$")


@dataclass(frozen=True, slots=True)
class Attack:
    """One file. `many`: it starts units, so that the budget of its host bounds it, not that of one unit."""

    name: str
    source: str
    kinds: tuple[str, ...]
    ends: frozenset[str]
    cheap: bool
    many: bool


def attack(name: str) -> Attack:
    """The attack of that name."""
    source = (FOLDER / f"{name}.lua").read_text("utf-8")
    fields = {match[1]: match[2] for line in source.splitlines() if (match := FIELD.match(line))}
    return Attack(
        name,
        source,
        tuple(fields["kinds"].split()),
        frozenset(fields["ends"].split()),
        fields["cost"] == "cheap",
        fields.get("memory") == "many",
    )


def attacks() -> list[Attack]:
    """All of them, by name."""
    return [attack(path.stem) for path in sorted(FOLDER.glob("*.lua"))]
