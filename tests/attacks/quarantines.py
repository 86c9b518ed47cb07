"""Quarantines of one process, in memory."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts.watcher import Card


class MemoryQuarantines:
    """Implements `wippy_console.worker.watch.watcher.Quarantines`."""

    def __init__(self) -> None:
        self._imposed: dict[tuple[str, str], str] = {}
        self._entries: dict[str, str] = {}

    def impose(self, card: Card, seconds: float) -> None:
        """Quarantine the program on its host."""
        why = f"quarantined: a step of {card.entry} took {seconds:.0f} s of processor time"
        self._imposed[card.digest, card.host] = self._entries[card.entry] = why

    def refusals(self) -> Mapping[tuple[str, str], str]:
        """What is quarantined now."""
        return dict(self._imposed)

    def why(self, entry: str) -> str:
        """Why the entry is quarantined anywhere, "" when it is not."""
        return self._entries.get(entry, "")

    def close(self) -> None:
        """Nothing is open."""
