"""One try of a function call, as its host knows it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KEY_LETTERS = 24
"""Of what tells a call within another from its like."""


def _nobody(details: Any) -> None:
    """Hear no heartbeat."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a function call, as its host knows it.

    `key` is the same for all tries of one call and of no other; `deadline` is ns since the epoch, 0 for none;
    `workflow_id` and `run_id` are of the run that asks, "" outside one. `beat` tells the host that the call is alive,
    with what the next try finds as `details` if this one ends without a result; from any thread.
    """

    number: int = 1
    key: str = ""
    deadline: int = 0
    workflow_id: str = ""
    run_id: str = ""
    details: Any = None
    beat: Callable[[Any], None] = field(default=_nobody, compare=False)
    within: bool = False
    """Whether another call makes this one."""

    def nested(self, asked: str, nth: int) -> Attempt:
        """What a call is that this one makes, the `nth` that asks the same: of the same run, with a key of its own.

        A next try of this one finds the same keys, whatever else it does, and in whatever order its answers come.
        """
        base = self.key.rpartition("/")[0] if self.within else self.key
        digest = hashlib.sha256(f"{self.key} {asked} {nth}".encode("utf-8", "surrogatepass")).hexdigest()
        return Attempt(1, f"{base}/{digest[:KEY_LETTERS]}", self.deadline, self.workflow_id, self.run_id, within=True)
