"""One try of a function call, as its host knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


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
    """Whether another call makes this one: its key then tells the place, not the arguments."""

    def nested(self, seq: int) -> Attempt:
        """What a call is that this one makes by its command `seq`: of the same run, with a key and beats of its own.

        A next try of this one that asks the same in the same place asks under the same key.
        """
        return Attempt(1, f"{self.key}/{seq}", self.deadline, self.workflow_id, self.run_id, within=True)
