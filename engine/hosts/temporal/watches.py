"""Watches on workflows: who wants to know when a pid ends, told exactly once each."""

from __future__ import annotations

from dataclasses import dataclass

from engine.host import Watcher
from engine.steps import Exited


@dataclass(frozen=True, slots=True)
class _Watch:
    pid: str
    watcher: Watcher


class Watches:
    """The watches of one host, kept in memory: those of a node end with it. Used on the loop only."""

    def __init__(self) -> None:
        self._watches: dict[str, dict[str, _Watch]] = {}

    def add(self, workflow_id: str, token: str, pid: str, watcher: Watcher) -> None:
        """Watch the workflow; the same token again replaces its watch."""
        self._watches.setdefault(workflow_id, {})[token] = _Watch(pid, watcher)

    def drop(self, workflow_id: str, token: str) -> None:
        """Forget a watch."""
        watches = self._watches.get(workflow_id, {})
        watches.pop(token, None)
        if not watches:
            self._watches.pop(workflow_id, None)

    def has(self, workflow_id: str, token: str) -> bool:
        """Whether that watch still waits."""
        return token in self._watches.get(workflow_id, {})

    def watched(self) -> list[str]:
        """The workflow ids that anybody watches."""
        return list(self._watches)

    def fire(self, workflow_id: str, exited: Exited) -> None:
        """Tell all who watch the workflow, and forget them first, so that nobody is told twice."""
        for watch in self._watches.pop(workflow_id, {}).values():
            watch.watcher(Exited(watch.pid, exited.at, exited.value, exited.failure))
