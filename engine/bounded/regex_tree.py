"""Regular expressions as trees of our own: the one file that uses private parts of `re`.

Only `re`'s own parser reads a pattern as `re.search` does, and both must agree on it: what the tree says of the work is
said of that search. Python has no public one; other libraries mean other texts (re2's `\\d` and `\\w` are ASCII), and a
parser of our own would be a second grammar, under which a replay might answer otherwise. What a new Python parses
differently shows in tests/engine/test_regex_tree.py; a construct unknown here is refused where it could be dear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined, unused-ignore]
from re import _parser as parser  # type: ignore[attr-defined, unused-ignore]
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Char:
    """One character of a range of codes, both ends included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Category:
    r"""One character of a class, as `\d` is."""

    name: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """One character that is one of the members; `negated`: that is none of them."""

    members: tuple[Char | Category, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """No character, but a place between two."""

    name: Literal["start", "end", "very end", "boundary", "no boundary"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways."""

    ways: tuple[Nodes, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`low` to `high` times the body; `high` None for no end. A `possessive` one gives nothing back."""

    low: int
    high: int | None
    body: Nodes
    possessive: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A group that means nothing but itself."""

    body: Nodes


@dataclass(frozen=True, slots=True)
class Opaque:
    """What only Python's matcher can follow: groups with flags, looking around, references, and what is not known here.

    It counts for `repeats` repetitions beside those of its bodies.
    """

    bodies: tuple[Nodes, ...] = ()
    repeats: int = 0


Node = OneOf | Place | Choice | Repeat | Group | Opaque
Nodes = tuple[Node, ...]

NEWLINE = Char(10, 10)
_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d", ops.CATEGORY_NOT_DIGIT: r"\D", ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S", ops.CATEGORY_WORD: r"\w", ops.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_PLACES: dict[Any, Place] = {
    ops.AT_BEGINNING: Place("start"), ops.AT_BEGINNING_STRING: Place("start"), ops.AT_END: Place("end"),
    ops.AT_END_STRING: Place("very end"), ops.AT_BOUNDARY: Place("boundary"), ops.AT_NON_BOUNDARY: Place("no boundary"),
}  # fmt: skip
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_OPAQUE = {
    ops.ASSERT: 0, ops.ASSERT_NOT: 0, ops.ATOMIC_GROUP: 0, ops.FAILURE: 0, ops.SUBPATTERN: 0,
    ops.GROUPREF: 1, ops.GROUPREF_EXISTS: 1,
}  # fmt: skip
UNKNOWN = 50


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole pattern; `flagged` when flags at its beginning change what its parts mean."""

    nodes: Nodes
    flagged: bool


@lru_cache(maxsize=64)
def parse(pattern: str) -> Tree:
    """The tree of a pattern; raises re.error for what is none, RecursionError and OverflowError."""
    parsed = parser.parse(pattern)
    return Tree(_nodes(parsed), bool(parsed.state.flags & ~re.UNICODE))


def _nodes(items: Any) -> Nodes:
    nodes: list[Node] = []
    for op, arg in items:  # loops, not generators: of a pattern that `re` can read no level may need more of the stack
        nodes.append(_PLACES[arg] if op is ops.AT else _one(op, arg) or _composite(op, arg))
    return tuple(nodes)


def _one(op: Any, arg: Any) -> OneOf | None:
    if op is ops.LITERAL or op is ops.NOT_LITERAL:
        return OneOf((Char(arg, arg),), op is ops.NOT_LITERAL)
    if op is ops.ANY:
        return OneOf((NEWLINE,), negated=True)
    if op is ops.IN:
        negated = arg[0][0] is ops.NEGATE
        return OneOf(tuple(_member(*each) for each in arg[negated:]), negated)
    return None


def _member(op: Any, arg: Any) -> Char | Category:
    if op is ops.CATEGORY:
        return Category(_CATEGORIES[arg])
    low, high = arg if op is ops.RANGE else (arg, arg)
    return Char(low, high)


def _composite(op: Any, arg: Any) -> Node:
    bodies: list[Nodes] = []
    for part in arg[1] if op is ops.BRANCH else arg if isinstance(arg, tuple) else (arg,):
        if isinstance(part, parser.SubPattern):
            bodies.append(_nodes(part))
    if op is ops.BRANCH:
        return Choice(tuple(bodies))
    if op in _REPEATS:
        return Repeat(arg[0], None if arg[1] is ops.MAXREPEAT else arg[1], bodies[0], op is ops.POSSESSIVE_REPEAT)
    if op is ops.SUBPATTERN and not arg[1] and not arg[2]:
        return Group(bodies[0])
    return Opaque(tuple(bodies), _OPAQUE.get(op, UNKNOWN))
