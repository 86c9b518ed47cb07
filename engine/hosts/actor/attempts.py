"""What the tries of one call know of themselves: their number, key, deadline, and what the one before told."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.attempt import Attempt
from engine.steps import Call, Value

KEY_BYTES = 16
ASKED_LETTERS = 32
MOST_COUNTED = 10_000


class Attempts:
    """The tries of one call; `given` is what the asker knows, `until` when the call times out (ns, 0 for never)."""

    def __init__(self, given: Attempt | None, until: int) -> None:
        self._given = given or Attempt(key=secrets.token_hex(KEY_BYTES))
        self._deadline = min((each for each in (self._given.deadline, until) if each), default=0)
        self._details = self._given.details
        self._made = 0

    def next(self) -> Attempt:
        """The next try."""
        self._made += 1
        number = self._given.number + self._made - 1
        return replace(self._given, number=number, deadline=self._deadline, details=self._details, beat=self._heard)

    def _heard(self, details: Value) -> None:
        self._details = details
        self._given.beat(details)


class Nested:
    """What the calls of one try of a function are (`Attempt.nested`), as they are made.

    Beyond `MOST_COUNTED` that ask different things a key goes by the call's place among the others: nothing is kept.
    """

    __slots__ = ("_attempt", "_beyond", "_made")

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._made: Counter[str] = Counter()
        self._beyond = 0

    def next(self, asked: str) -> Attempt:
        """The next call that asks this (`asked`)."""
        if asked not in self._made and len(self._made) >= MOST_COUNTED:
            self._beyond += 1
            return self._attempt.nested(asked, -self._beyond)
        self._made[asked] += 1
        return self._attempt.nested(asked, self._made[asked])


def asked(call: Call) -> str:
    """What a call asks: the same for the same target and arguments alone."""
    text = repr((call.target, _ordered(call.args)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:ASKED_LETTERS]


def _ordered(value: Value) -> object:
    """Tables in one order of their keys."""
    if isinstance(value, Mapping):
        return {"table": sorted((repr(key), _ordered(item)) for key, item in value.items())}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_ordered(item) for item in value]
    return value
