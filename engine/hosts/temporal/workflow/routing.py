"""Where things of a run go: queues of activities and children, and whom a pid in its hands means.

All of it reads the registry version that the run began with, so that a replay decides alike.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from engine.entry import Entry
from engine.errors import UnitFailed, invalid
from engine.hosts.temporal.observations import StartedElsewhere
from engine.hosts.temporal.options.activity import worker_of
from engine.hosts.temporal.settings import WorkerSettings, node_queue, reference, task_queue
from engine.hosts.temporal.workflow.entries import RunEntries
from engine.pids import Pid

logger = logging.getLogger(__name__)

UPDATE_HOST = "update"
MAX_KNOWN_NODES = 1000


@dataclass(frozen=True, slots=True)
class ChildWorker:
    """A worker to run a child on: its queue, and the entry ids of its pids. A `literal` queue is not of an entry."""

    queue: str
    client: str
    worker: str
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """The sender of the update `id`, which waits for an answer."""

    id: str


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow in the namespace of this run."""

    workflow_id: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Anything that the node of this run's worker must deliver to, wherever it lives.

    `fallback` is the queue of another node to ask when that one knows of no such process (see `KnownNodes`).
    """

    fallback: str = ""


Destination = Update | Workflow | Elsewhere


class KnownNodes:
    """Where processes live that a run heard from by pids without a node.

    No pid is made so any more; runs that began when they were must replay what they did then.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}

    def learn(self, nodes: Mapping[str, str]) -> None:
        """Take in node ids by pid; the oldest are forgotten beyond a thousand."""
        for pid, node in nodes.items():
            self._nodes.pop(pid, None)
            self._nodes[pid] = node
        while len(self._nodes) > MAX_KNOWN_NODES:
            del self._nodes[next(iter(self._nodes))]

    def queue(self, pid: str) -> str:
        """The queue of the node of that pid, or ""."""
        node = self._nodes.get(pid)
        return node_queue(node) if node else ""


class Routing:
    """The routing of one run, which reads those entries. Those of workers and clients are read as they are written."""

    def __init__(self, settings: WorkerSettings, entries: RunEntries, known_nodes: KnownNodes) -> None:
        self.entries = entries
        self._settings = settings
        self._known_nodes = known_nodes

    def tell(self, started: StartedElsewhere) -> None:
        """Tell the observer of runs of one that others may work on; its failure is not the run's."""
        try:
            self._settings.observe(started)
        except Exception:
            logger.exception("the observer of runs failed")

    def activity_queue(self, target: Entry | None) -> str:
        """The queue of the worker that a function's meta names, or "" for the queue of this run."""
        worker = self.entries.written(worker_of(target)) if worker_of(target) else None
        if worker is None or worker.id == self._settings.worker:
            return ""
        return task_queue(worker, self.entries.written(reference(worker, "client")))

    def child(self, host: str) -> ChildWorker:
        """The worker that the host argument of a spawn means: a worker entry, else a literal queue."""
        settings = self._settings
        entry = self.entries.written(host) if host else None
        if not host or host == settings.worker:
            return ChildWorker(settings.task_queue, settings.client, settings.worker)
        if entry is None:
            return ChildWorker(host, settings.client, settings.worker, literal=True)
        if entry.kind != "temporal.worker":
            text = f"spawning on '{host}', a {entry.kind}, is not supported in workflow context"
            raise UnitFailed(invalid(text))
        client = reference(entry, "client")
        return ChildWorker(task_queue(entry, self.entries.written(client)), client, entry.id)

    def destination(self, dest: str) -> Destination:
        """Whom a pid or name means."""
        pid = Pid.parse(dest)
        if pid is None:
            return Elsewhere()
        if not pid.node and pid.host == UPDATE_HOST:
            return Update(pid.uniq)
        if pid.node == self._settings.client:
            return Workflow(pid.uniq)
        return Elsewhere(self._known_nodes.queue(dest))
