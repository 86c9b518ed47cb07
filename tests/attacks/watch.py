"""The worker's watch on steps, with quarantines in memory."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts.watcher import Card
from wippy_console.worker.watch.ledger import Ledger, memory
from wippy_console.worker.watch.watcher import StepWatcher


class MemoryQuarantines:
    """For one process."""

    def __init__(self) -> None:
        self._imposed: dict[tuple[str, str], str] = {}

    def impose(self, card: Card, seconds: float) -> None:
        """Quarantine the program on its host."""
        self._imposed[card.digest, card.host] = f"quarantined: a step of {card.entry} took {seconds:.0f} s"

    def refusals(self) -> Mapping[tuple[str, str], str]:
        """What is quarantined now."""
        return dict(self._imposed)


def watcher(limit: float) -> StepWatcher:
    """Not started."""
    return StepWatcher(Ledger(memory()), limit, MemoryQuarantines())
