"""Watches on workflows: who wants to know when a pid ends, notified exactly once each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.contracts.host import Watcher
from engine.errors import Failure
from engine.hosts.temporal.client.closings import TERMINATED, Closed


@dataclass(slots=True)
class _Watch:
    """`since` is when the watched run began, None until that is known; `missed` says that an end was reported before.

    `reported` says that somebody follows the queue of the run and reports its end (`WorkflowHost.closed`).
    """

    pid: str
    watcher: Watcher
    since: datetime | None = None
    missed: bool = False
    reported: bool = True


class Watches:
    """The watches of one host, kept in memory: those of a node end with it. Used on the loop only.

    Runs share a workflow id one after the other, and the end of an earlier one may be reported late: a watch
    takes an end only when it came after the beginning of the run that it was set on.
    """

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

    def watched(self) -> list[str]:
        """The workflow ids that anybody watches."""
        return list(self._watches)

    def unreported(self) -> list[str]:
        """Those of which nobody reports the end: it must be asked for."""
        return [id_ for id_, watches in self._watches.items() if not all(w.reported for w in watches.values())]

    def is_watched(self, workflow_id: str) -> bool:
        """Whether anybody watches the workflow."""
        return workflow_id in self._watches

    def began(self, workflow_id: str, at: datetime, *, reported: bool) -> bool:
        """The run of the workflow that began then is open; whether an end was reported meanwhile, so look again."""
        fresh = [watch for watch in self._watches.get(workflow_id, {}).values() if watch.since is None]
        for watch in fresh:
            watch.since, watch.reported = at, reported
        return any(watch.missed for watch in fresh)

    def closed(self, run: Closed) -> None:
        """Tell those who watch a run that ended; without its beginning they only learn that they missed an end."""
        for token, watch in list(self._watches.get(run.workflow_id, {}).items()):
            if watch.since is None:
                watch.missed = True
            elif run.at > watch.since:
                self._notify(token, watch, run)

    def ended(self, run: Closed) -> None:
        """Tell all who watch the workflow: this is how its latest run ended."""
        for token, watch in list(self._watches.get(run.workflow_id, {}).items()):
            self._notify(token, watch, run)

    def vanished(self, workflow_id: str, at: datetime, failure: Failure) -> None:
        """Tell those who knew a run of the workflow that there is none any more."""
        gone = Closed(workflow_id, "", TERMINATED, at, failure=failure)
        for token, watch in list(self._watches.get(workflow_id, {}).items()):
            if watch.since is not None:
                self._notify(token, watch, gone)

    def _notify(self, token: str, watch: _Watch, run: Closed) -> None:
        # Forgotten first, so that nobody is notified twice.
        self.drop(run.workflow_id, token)
        watch.watcher(run.exited(watch.pid))
