"""Task queues as their Temporal sees them: who polls, what waits and for how long; bounded in time and number."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client

from engine.entry import Entry, namespace_of
from engine.hosts.temporal.settings import reference, task_queue
from wippy_console import permissions
from wippy_console.models import Node
from wippy_console.services import by_kind, registry, runs, states, temporal
from wippy_console.services.by_kind import CLIENT, WORKER, WORKFLOW
from wippy_console.services.projection import NODE
from wippy_console.services.temporal_asking import each_in_time, or_why_not

FRESH_SECONDS = 2.0
MOST_QUEUES = 50
MOST_WAITING = 1000
AT_ONCE = 16
LATE_SECONDS = 10.0
"""What waits longer than this waits too long."""

KINDS = {"workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY}

Key = tuple[str, str]
"""A client's entry and the queue."""


@dataclass(frozen=True, slots=True)
class Poller:
    """Who asks for tasks; Temporal forgets one that did not for five minutes. `node` is ours, `build` what it said."""

    identity: str
    at: datetime
    rate: float
    build: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of one kind on a queue. `age` is that of the oldest, in seconds; rates are per second."""

    kind: str
    pollers: tuple[Poller, ...]
    backlog: int
    age: float
    added: float
    taken: float

    @property
    def is_late(self) -> bool:
        """Whether something waits too long."""
        return self.backlog > 0 and self.age > LATE_SECONDS


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with whose it is, and what its Temporal says, or why that says nothing (`error`).

    `workers` are the entries that serve it (none: only runs wait on it), `entries` the workflows that go there by
    themselves, `waiting` the runs that nobody works on.
    """

    client: str
    name: str
    workers: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()
    waiting: int = 0
    tasks: tuple[Tasks, ...] = ()
    error: str = ""

    @property
    def unpolled(self) -> list[str]:
        """The kinds of tasks that nobody asks for."""
        return [each.kind for each in self.tasks if not each.pollers]

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look at it."""
        return bool(self.waiting or "workflow" in self.unpolled or any(each.is_late for each in self.tasks))


def listed(user: Any, nodes: Sequence[Node]) -> list[Queue]:
    """The queues of the workers that the user may see, and those on which runs wait for nobody; troubles first."""
    found = {(queue.client, queue.name): queue for queue in _ours(user, nodes)}
    for key, count in waiting(user).items():
        found[key] = replace(found.get(key, Queue(*key)), waiting=count)
    some = dict(list(found.items())[:MOST_QUEUES])
    told = _asked.all(list(some))
    queues = [_with(queue, told.get(key, "")) for key, queue in some.items()]
    return sorted(queues, key=lambda queue: (not queue.is_trouble, queue.client, queue.name))


def served() -> list[Queue]:
    """The queues of all workers of the registry, whoever asks: for figures, which name no run."""
    known = {entry.id: entry for entry in registry.of_kinds(WORKER, CLIENT)}
    keys: dict[Key, None] = {}
    for worker in known.values():
        client = reference(worker, "client") if worker.kind == WORKER else ""
        if name := client and task_queue(worker, known.get(client)):
            keys[client, name] = None
    told = _asked.all(list(keys)[:MOST_QUEUES])
    return [_with(Queue(*key), answer) for key, answer in told.items()]


def waiting(user: Any) -> Counter[Key]:
    """The runs that no worker takes, or whose call none takes, by queue; so many at most."""
    rows = runs.visible(user).filter(states.condition(states.NO_WORKER)).order_by()
    some = rows.values_list("client", "task_queue", "stuck_reason")[:MOST_WAITING]
    return Counter((client, states.queue_in(reason) or queue) for client, queue, reason in some)


def builds(queues: Sequence[Queue]) -> dict[str, str]:
    """What the nodes say of their build when they ask for tasks, by node."""
    pollers = [poller for queue in queues for tasks in queue.tasks for poller in tasks.pollers]
    return {poller.node: poller.build for poller in sorted(pollers, key=lambda each: each.at) if poller.node}


def _ours(user: Any, nodes: Sequence[Node]) -> list[Queue]:
    scope = permissions.scope(user, permissions.VIEW_FLEET)
    known = {entry.id: entry for entry in registry.of_kinds(WORKER, CLIENT)}
    workers = [entry for entry in known.values() if entry.kind == WORKER]
    users = _users(user, workers)
    found: dict[Key, Queue] = {}
    for worker in workers:
        client, name = reference(worker, "client"), task_queue(worker, known.get(reference(worker, "client")))
        if not scope.covers(worker.namespace) or not name:
            continue
        before = found.get((client, name), Queue(client, name))
        serving = tuple(node for node in nodes if node.is_alive and name in node.task_queues)
        entries = tuple(dict.fromkeys((*before.entries, *users.get(worker.id, ()))))
        found[client, name] = replace(before, workers=(*before.workers, worker.id), entries=entries, nodes=serving)
    return list(found.values())


def _users(user: Any, workers: Sequence[Entry]) -> Mapping[str, list[str]]:
    """The workflows of whom each worker is the one that a start means when it names none."""
    scope, found = permissions.scope(user, permissions.VIEW_REGISTRY), dict[str, list[str]]()
    ids = [worker.id for worker in workers]
    for entry in registry.of_kinds(WORKFLOW):
        worker = runs.named_worker(entry) or by_kind.nearest(ids, entry.id)
        if worker and scope.covers(namespace_of(entry.id)):
            found.setdefault(worker, []).append(entry.id)
    return found


def _with(queue: Queue, told: tuple[Tasks, ...] | str) -> Queue:
    return replace(queue, error=told) if isinstance(told, str) else replace(queue, tasks=told)


@dataclass
class _Asked:
    """Answers, each good for two seconds, so that many pages ask once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: dict[Key, tuple[float, tuple[Tasks, ...] | str]] = field(default_factory=dict)

    def all(self, keys: Sequence[Key]) -> Mapping[Key, tuple[Tasks, ...] | str]:
        """Fresh enough answers, or in words why there is none."""
        with self.lock:
            old = time.monotonic() - FRESH_SECONDS
            self.known = {key: kept for key, kept in self.known.items() if kept[0] > old}
            if wanted := [key for key in keys if key not in self.known]:
                found, at = temporal.run(_ask_all(wanted), timeout=None), time.monotonic()
                self.known |= {key: (at, told) for key, told in found.items()}
            return {key: self.known[key][1] for key in keys}


_asked = _Asked()


async def _ask_all(keys: Sequence[Key]) -> dict[Key, tuple[Tasks, ...] | str]:
    turn = asyncio.Semaphore(AT_ONCE)
    return await each_in_time(keys, lambda key: _ask(key, turn))


async def _ask(key: Key, turn: asyncio.Semaphore) -> tuple[Tasks, ...] | str:
    client_id, name = key

    async def tasks(client: Client) -> tuple[Tasks, ...]:
        answers = await asyncio.gather(*(_describe(client, name, kind) for kind in KINDS.values()))
        return tuple(_tasks(kind, answer) for kind, answer in zip(KINDS, answers, strict=True))

    async with turn:
        return await or_why_not(client_id, tasks)


async def _describe(client: Client, name: str, kind: Any) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=name),
        task_queue_type=kind,
        report_stats=True,
        report_pollers=True,
    )
    return await client.workflow_service.describe_task_queue(request)


def _tasks(kind: str, answer: DescribeTaskQueueResponse) -> Tasks:
    stats = answer.stats
    age = stats.approximate_backlog_age.ToTimedelta().total_seconds()
    pollers = sorted((_poller(each) for each in answer.pollers), key=lambda each: each.at, reverse=True)
    backlog = stats.approximate_backlog_count
    return Tasks(kind, tuple(pollers), backlog, age, stats.tasks_add_rate, stats.tasks_dispatch_rate)


def _poller(said: PollerInfo) -> Poller:
    options = said.deployment_options
    build = f"{options.deployment_name} {options.build_id}" if options.deployment_name else ""
    return Poller(
        said.identity,
        said.last_access_time.ToDatetime(UTC),
        said.rate_per_second,
        build or said.worker_version_capabilities.build_id[:12],
        said.identity.removeprefix(NODE) if said.identity.startswith(NODE) else "",
    )
