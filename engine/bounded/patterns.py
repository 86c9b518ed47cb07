"""Regular expressions and globs, searched for in bounded time.

Python's own matcher backtracks: a pattern such as `^(a+)+$` takes for ever on thirty characters, and no other thread
runs meanwhile. So it gets only what is cheap at worst; the rest is matched by following all ways at once, in time
linear in the text. What that can't express (references, looking around) is refused where it could be dear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_PATTERN = 10_000
MAX_BACKTRACKS = 1_000_000
MAX_STATES = 2_000
MAX_STEPS = 1_000_000

_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT)
_ONE = (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN)
_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d", ops.CATEGORY_NOT_DIGIT: r"\D", ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S", ops.CATEGORY_WORD: r"\w", ops.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


class TooCostlyError(Exception):
    """Raised for what could take too long; the text says what."""


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
    return _Search(_machine(pattern), text, spend).found()


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
    return _measured(parser.parse(pattern))


def _measured(items: Any) -> tuple[int, bool]:
    count, nested = 0, False
    for op, arg in items:
        inner, deep = _inner(op, arg)
        if op in _REPEATS or op is ops.POSSESSIVE_REPEAT:
            nested = nested or inner > 0
            inner += 1
        count, nested = count + inner, nested or deep
    return count, nested


def _inner(op: Any, arg: Any) -> tuple[int, bool]:
    """The same for what an item holds; ways to choose from count as a repetition, since a match may try each."""
    if op is ops.BRANCH:
        found = [_measured(way) for way in arg[1]]
        return 1 + sum(count for count, _ in found), any(nested for _, nested in found)
    parts = [part for part in (arg if isinstance(arg, tuple) else (arg,)) if isinstance(part, parser.SubPattern)]
    found = [_measured(part) for part in parts]
    varies = op in (ops.GROUPREF, ops.GROUPREF_EXISTS)
    return varies + sum(count for count, _ in found), any(nested for _, nested in found)


@lru_cache(maxsize=64)
def _machine(pattern: str) -> _Machine:
    return _Machine(parser.parse(pattern))


class _Machine:
    """A pattern as states (what is asked, its argument, where to go on); state 0 is the end."""

    def __init__(self, tree: Any) -> None:
        if tree.state.flags & ~re.UNICODE:
            raise TooCostlyError("a pattern with flags could take too long")
        self.states: list[tuple[Any, Any, list[int]]] = [(None, None, [])]
        self.start = self._sequence(tree, 0)

    def _add(self, op: Any, arg: Any, *following: int) -> int:
        if len(self.states) >= MAX_STATES:
            raise TooCostlyError("a pattern with so large repetitions could take too long")
        self.states.append((op, arg, list(following)))
        return len(self.states) - 1

    def _sequence(self, items: Any, then: int) -> int:
        for op, arg in reversed(list(items)):
            then = self._item(op, arg, then)
        return then

    def _item(self, op: Any, arg: Any, then: int) -> int:
        if op in _ONE or op is ops.AT:
            return self._add(op, arg, then)
        if op is ops.BRANCH:
            return self._add(ops.BRANCH, None, *(self._sequence(way, then) for way in arg[1]))
        if op is ops.SUBPATTERN and not arg[1] and not arg[2]:
            return self._sequence(arg[3], then)
        if op in _REPEATS:
            low, high, body = arg
            return self._repeat(low, high, body, then)
        raise TooCostlyError("a pattern that refers back or looks around could take too long")

    def _repeat(self, low: int, high: Any, body: Any, then: int) -> int:
        if high is ops.MAXREPEAT:
            then = self._add(ops.BRANCH, None, then)
            self.states[then][2].append(self._sequence(body, then))
        else:
            end = then
            for _ in range(min(high - low, MAX_STATES)):
                then = self._add(ops.BRANCH, None, end, self._sequence(body, then))
        for _ in range(min(low, MAX_STATES)):
            then = self._add(ops.BRANCH, None, self._sequence(body, then))
        return then


class _Search:
    """One search by one machine."""

    def __init__(self, machine: _Machine, text: str, spend: Callable[[int], None]) -> None:
        self._spend = spend
        self._states = machine.states
        self._start = machine.start
        self._text = text
        self._steps = 0

    def found(self) -> bool:
        """Whether some way leads to the end."""
        reached: set[int] = set()
        for at in range(len(self._text) + 1):
            here = self._closure([self._start, *reached], at)
            if 0 in here:
                return True
            if at < len(self._text):
                reached = self._after(here, self._text[at])
        return False

    def _closure(self, stack: list[int], at: int) -> set[int]:
        """The states that can be reached without taking a character."""
        seen: set[int] = set()
        while stack:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            self._count()
            op, arg, following = self._states[state]
            if op is ops.BRANCH or (op is ops.AT and _holds(arg, self._text, at)):
                stack += following
        return seen

    def _after(self, here: set[int], char: str) -> set[int]:
        reached: set[int] = set()
        for state in here:
            op, arg, following = self._states[state]
            if op in _ONE and _takes(op, arg, char):
                reached.update(following)
        return reached

    def _count(self) -> None:
        self._steps += 1
        if self._steps % 10 == 0:
            self._spend(1)
        if self._steps > MAX_STEPS:
            raise TooCostlyError("the text is too long for its pattern")


def _holds(place: Any, text: str, at: int) -> bool:
    if place in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
        return at == 0
    if place is ops.AT_END_STRING:
        return at == len(text)
    if place is ops.AT_END:
        return at == len(text) or (at == len(text) - 1 and text[at] == "\n")
    boundary = _is_word(text[at - 1 : at] if at else "") != _is_word(text[at : at + 1])
    return boundary == (place is ops.AT_BOUNDARY)


def _is_word(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_")


def _takes(op: Any, arg: Any, char: str) -> bool:
    if op is ops.IN:
        return _is_in(arg, char)
    if op is ops.ANY:
        return char != "\n"
    return bool((ord(char) == arg) == (op is ops.LITERAL))


def _is_in(members: Sequence[Any], char: str) -> bool:
    negated = members[0][0] is ops.NEGATE
    return any(_is_member(op, arg, char) for op, arg in members[negated:]) != negated


def _is_member(op: Any, arg: Any, char: str) -> bool:
    if op is ops.RANGE:
        return bool(arg[0] <= ord(char) <= arg[1])
    if op is ops.CATEGORY:
        return re.match(_CATEGORIES[arg], char) is not None
    return bool(ord(char) == arg)


def glob(pattern: str, text: str) -> bool:
    """Whether the whole text is the pattern, in which each `*` stands for any text. Linear in the text."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == text
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
