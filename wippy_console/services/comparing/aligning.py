"""Puts the steps of two timelines side by side. Pure: no database, no Temporal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from wippy_console.services.timeline import Row

MOST = 10_000
"""Steps of each side that are compared."""
_MOST_MATCHED = 1_000_000
"""So much work may it be to match what lies between a common beginning and end."""
_SLOWER, _SECONDS = 1.5, 1.0
"""A step took another time when it took so many times as long, and so many seconds longer."""

Key = tuple[str, str]
Prints = Mapping[int, tuple[bytes, bytes]]
"""Of each row, by its id, what its input and its result are known by."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A step of both sides, or of one where the other took none like it. `differs` says in what, in words."""

    index: int
    a: Row | None
    b: Row | None
    differs: tuple[str, ...] = ()

    @property
    def row(self) -> Row:
        """That of either side."""
        found = self.a or self.b
        assert found is not None
        return found

    @property
    def is_other(self) -> bool:
        """Whether the runs went different ways here; only the time it took does not count."""
        return any(each != "time" for each in self.differs)


def align(a: Sequence[Row], b: Sequence[Row], prints_a: Prints, prints_b: Prints) -> list[Pair]:
    """The steps of both in their order: equal ones beside each other, by kind and name."""
    matched = _matched([key_of(row) for row in a], [key_of(row) for row in b])
    found = []
    for index, (at, other) in enumerate(matched):
        left, right = a[at] if at is not None else None, b[other] if other is not None else None
        found.append(Pair(index, left, right, _differences(left, right, prints_a, prints_b)))
    return found


def first_difference(pairs: Sequence[Pair]) -> Pair | None:
    """Where the two went different ways."""
    return next((pair for pair in pairs if pair.is_other), None)


def key_of(row: Row) -> Key:
    """By which steps are alike: a timer is one however long it is."""
    return row.kind, "" if row.kind in ("timer", "exit", "workflow") else row.label


def _matched(a: list[Key], b: list[Key]) -> Iterator[tuple[int | None, int | None]]:
    """Indexes that belong together."""
    begin = _common(a, b)
    end = _common(a[begin:][::-1], b[begin:][::-1])
    yield from ((at, at) for at in range(begin))
    yield from _between(a, b, begin, len(a) - end, len(b) - end)
    yield from ((len(a) - left, len(b) - left) for left in range(end, 0, -1))


def _common(a: Sequence[Key], b: Sequence[Key]) -> int:
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _between(a: list[Key], b: list[Key], begin: int, end_a: int, end_b: int) -> Iterator[tuple[int | None, int | None]]:
    if (end_a - begin) * (end_b - begin) > _MOST_MATCHED:
        yield from _apart(range(begin, end_a), range(begin, end_b))
        return
    matcher = SequenceMatcher(None, a[begin:end_a], b[begin:end_b], autojunk=False)
    for tag, low, high, other_low, other_high in matcher.get_opcodes():
        left, right = range(begin + low, begin + high), range(begin + other_low, begin + other_high)
        yield from zip(left, right, strict=True) if tag == "equal" else _apart(left, right)


def _apart(left: range, right: range) -> Iterator[tuple[int | None, int | None]]:
    yield from ((at, None) for at in left)
    yield from ((None, at) for at in right)


def _differences(a: Row | None, b: Row | None, prints_a: Prints, prints_b: Prints) -> tuple[str, ...]:
    if a is None or b is None:
        return ("only in B",) if a is None else ("only in A",)
    (input_a, result_a), (input_b, result_b) = prints_a.get(a.id, (b"", b"")), prints_b.get(b.id, (b"", b""))
    if a.kind == "workflow":  # how it went on is told by all the other steps
        return ("input",) if input_a != input_b else ()
    told = {
        "duration": a.kind == "timer" and a.label != b.label,
        "input": input_a != input_b,
        "outcome": a.state != b.state,
        "failure": a.state == b.state and _said(a) != _said(b),
        "result": a.state == b.state and result_a != result_b,
        "time": _took_other_time(a, b),
    }
    return tuple(word for word, is_so in told.items() if is_so)


def _said(row: Row) -> tuple[str, str]:
    return (row.failure.kind, row.failure.message) if row.failure else ("", "")


def _took_other_time(a: Row, b: Row) -> bool:
    if a.seconds is None or b.seconds is None:
        return False
    short, long = sorted((a.seconds, b.seconds))
    return long - short >= _SECONDS and long >= short * _SLOWER
