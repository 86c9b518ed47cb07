"""Which steps have used more of the processor than they may."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wippy_console.worker.watch.ledger import Ledger, Running

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Overdue:
    """A step, the seconds of processor time that it was seen to use, and those that it might."""

    step: Running
    seconds: float
    limit: float


class Overtime:
    """Looks at a ledger now and then. `process` is the worker's.

    Processor time counts, not the clock: a machine under load or a suspended one makes no step guilty.
    """

    def __init__(self, ledger: Ledger, limit: float, of_workflows: float | None = None) -> None:
        self._ledger = ledger
        self._limit = limit
        self._of_workflows = limit if of_workflows is None else min(limit, of_workflows)
        self._seen: dict[int, tuple[int, float]] = {}  # slot -> number of the step, processor time at first sight

    def look(self, process: int) -> Iterator[Overdue]:
        """The steps that are over the limit now."""
        seen = {}
        for step in self._ledger.running():
            used = _processor_seconds(process, step.thread)
            if used is None:
                continue
            number, began = self._seen.get(step.slot, (0, used))
            began = began if number == step.number else used
            seen[step.slot] = step.number, began
            limit = self._of_workflows if step.card.kind == "workflow" else self._limit
            if used - began >= limit:
                yield Overdue(step, used - began, limit)
        self._seen = seen


def _processor_seconds(process: int, thread: int) -> float | None:
    """What the thread has used so far, to 10 ms; None when it is gone, or no file can be opened."""
    try:
        stat = Path(f"/proc/{process}/task/{thread}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS
