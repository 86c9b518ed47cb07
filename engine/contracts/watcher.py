"""The contract of a watcher: who looks on while units step, and may say that a program must not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Interruptible(Protocol):
    """What a watcher may do to a step."""

    def interrupt(self, why: str) -> bool:
        """Stop the step that is under way, soon; from any thread. False when none is."""
        ...


@dataclass(frozen=True, slots=True)
class Card:
    """What steps: `host` is the entry id of its host or worker, `digest` that of its program."""

    kind: str
    entry: str
    digest: str
    host: str
    pid: str


class Watcher(Protocol):
    """Called around every step, from many threads: each call has to cost next to nothing."""

    def begin(self, unit: Interruptible, card: Card) -> None:
        """A step of the unit begins on this thread."""
        ...

    def end(self) -> None:
        """The step of this thread has ended."""
        ...

    def refusal(self, card: Card) -> str:
        """Why the program must not run on the host now, "" when it may."""
        ...
