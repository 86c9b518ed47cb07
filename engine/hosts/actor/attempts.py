"""What the tries of one call know of themselves: their number, key, deadline, and what the one before told."""

from __future__ import annotations

import secrets
from dataclasses import replace

from engine.attempt import Attempt
from engine.steps import Value

KEY_BYTES = 16


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
