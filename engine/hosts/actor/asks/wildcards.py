"""Patterns of dotted names: `*` is one segment, `**` any number of them, `(a|b)` in a segment either text."""

from __future__ import annotations

import itertools
import re

MAX_PATTERN = 500
MAX_WAYS = 256

_ONE, _ANY = "*", "**"


class BadPatternError(Exception):
    """A pattern that can't be read; the text says why."""


class Wildcard:
    """A pattern, compiled. Matching takes time in proportion to both lengths, whatever the pattern."""

    def __init__(self, pattern: str) -> None:
        if not pattern or len(pattern) > MAX_PATTERN:
            raise BadPatternError(f"a pattern has 1 to {MAX_PATTERN} characters")
        self._segments = [segment if segment in (_ONE, _ANY) else _ways(segment) for segment in pattern.split(".")]

    def matches(self, name: str) -> bool:
        """Whether the whole name fits."""
        reached = self._beyond({0})
        for part in name.split("."):
            reached = self._beyond({after for at in reached for after in self._after(at, part)})
        return len(self._segments) in reached

    def _after(self, at: int, part: str) -> tuple[int, ...]:
        segment = self._segments[at] if at < len(self._segments) else frozenset[str]()
        if segment == _ANY:
            return (at,)
        return (at + 1,) if segment == _ONE or part in segment else ()

    def _beyond(self, reached: set[int]) -> set[int]:
        """With the places that `**`, which may stand for nothing, leads on to."""
        for at in range(len(self._segments)):
            if at in reached and self._segments[at] == _ANY:
                reached.add(at + 1)
        return reached


def _ways(segment: str) -> frozenset[str]:
    """The texts that a segment stands for."""
    parts = re.split(r"\(([^()]*)\)", segment)
    if any(re.search(r"[()|*]", text) for text in parts[::2]) or any("*" in group for group in parts[1::2]):
        raise BadPatternError(f"in '{segment}' a * must be a whole segment, and a | stands between ( and )")
    choices = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    ways = list(itertools.islice(itertools.product(*choices), MAX_WAYS + 1))
    if len(ways) > MAX_WAYS:
        raise BadPatternError(f"'{segment}' stands for more than {MAX_WAYS} texts")
    return frozenset("".join(way) for way in ways)
