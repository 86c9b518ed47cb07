"""Regular expressions, searched for in bounded time.

Python's own matcher backtracks: a pattern such as `^(a+)+$` takes for ever on thirty characters, and no other thread
runs meanwhile. So it gets only what is cheap at worst; the rest is matched by following all ways at once, in time
linear in the text. What that can't express (references, looking around) is refused where it could be dear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import assert_never

from engine.bounded.automaton import Search, automaton
from engine.bounded.errors import TooCostlyError
from engine.bounded.regex_tree import Choice, Group, Node, Nodes, OneOf, Opaque, Place, Repeat, parse

MAX_PATTERN = 10_000
MAX_BACKTRACKS = 1_000_000


def search(pattern: str, text: str, spend: Callable[[int], None] = lambda _: None) -> bool:
    """Whether the pattern is found in the text; raises TooCostlyError, and re.error for what is no pattern.

    `spend` is called with the work, in units of some microseconds, and may raise.
    """
    try:
        return _search(pattern, text, spend)
    except (RecursionError, OverflowError):
        raise TooCostlyError("a pattern nested so deeply, or with so large repetitions, could take too long") from None


def _search(pattern: str, text: str, spend: Callable[[int], None]) -> bool:
    repeats, nested = _shape(pattern)
    worst = (len(text) + 1.0) ** min(repeats + 1, 50)
    if not nested and worst <= MAX_BACKTRACKS:
        spend(int(worst) // 1000)
        return re.search(pattern, text) is not None
    return Search(automaton(pattern), text, spend).found()


def is_simple(pattern: str) -> bool:
    """Whether Python's matcher is fast on any text that is no book; False for what is no pattern."""
    try:
        repeats, nested = _shape(pattern)
    except (re.error, TooCostlyError, RecursionError, OverflowError):
        return False
    return not nested and repeats <= 2


@lru_cache(maxsize=256)
def _shape(pattern: str) -> tuple[int, bool]:
    """How many repetitions stand beside each other, and whether one holds something that may vary."""
    if len(pattern) > MAX_PATTERN:  # reading a long one takes seconds
        raise TooCostlyError(f"a pattern of more than {MAX_PATTERN} characters could take too long")
    return _measured(parse(pattern).nodes)


def _measured(nodes: Nodes) -> tuple[int, bool]:
    return _together([_shape_of(node) for node in nodes])


def _together(shapes: Iterable[tuple[int, bool]]) -> tuple[int, bool]:
    count, nested = 0, False
    for inner, deep in shapes:
        count, nested = count + inner, nested or deep
    return count, nested


def _shape_of(node: Node) -> tuple[int, bool]:
    """Ways to choose from count as a repetition, since a match may try each."""
    match node:
        case OneOf() | Place():
            return 0, False
        case Group(body):
            return _measured(body)
        case Repeat(body=body):
            count, nested = _measured(body)
            return count + 1, nested or count > 0
        case Choice(ways):
            count, nested = _together(map(_measured, ways))
            return count + 1, nested
        case Opaque(bodies, repeats):
            count, nested = _together(map(_measured, bodies))
            return count + repeats, nested
        case _:
            assert_never(node)
