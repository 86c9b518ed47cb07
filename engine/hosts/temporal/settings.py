"""Settings of one `temporal.worker` entry as its workflows and its client see them, and the queues of nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import UnitFailed, invalid, not_found
from engine.hosts.temporal.observations import Observe, ignore
from engine.lua.unit import Unit
from engine.pids import Pid
from engine.steps import Limits, Value

# Measured: 0.2 to 0.4 s of plain Lua loops under the count hook, and the SDK gives a task 2 s
# (docs/pitfalls.md#the-deadlock-detector).
WORKFLOW_LIMITS = Limits(max_instructions=40_000_000)
INSTRUCTIONS_BEFORE = 10_000_000
"""What a step of a run has that began with the first kernel."""

FLEET_QUEUE = "wippy-fleet"

# A running activity gets this long to end when its node shuts down (docs/pitfalls.md#a-workers-grace).
GRACE = timedelta(seconds=10)
# Cancels reach an activity with the answer to a heartbeat; the SDK would hold beats back for most of their timeout.
HEARTBEAT_THROTTLE = timedelta(seconds=2)


KeysOf = Callable[[Entry, Sequence[Value]], Sequence[str]]
"""The business keys of a start, as `order.id=42`; called on the loop, so that it asks nobody."""


def no_keys(entry: Entry, arguments: Sequence[Value]) -> Sequence[str]:
    """Of starts that nobody looks for."""
    return ()


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """One worker: its entry ids, its queue (prefixed), and what its runs need. `observe` is called from any thread.

    `strict` is the rule of the product for units without actor and scope; a run keeps the one that it began with.
    """

    catalog: Catalog
    worker: str
    client: str
    task_queue: str
    observe: Observe = ignore
    limits: Limits = field(default=WORKFLOW_LIMITS)
    strict: bool = False
    keys: KeysOf = no_keys
    unit_factory: Callable[..., Unit] = Unit

    def limits_of(self, kernel: int) -> Limits:
        """The limits of a run that began with that kernel: a replay decides as the run did."""
        if kernel > 1:
            return self.limits
        return replace(self.limits, max_instructions=min(self.limits.max_instructions, INSTRUCTIONS_BEFORE))

    def pid(self, workflow_id: str) -> str:
        """The pid of a workflow of this worker."""
        return str(Pid(self.client, self.worker, workflow_id))


def node_queue(node_id: str) -> str:
    """The task queue that one node serves alone."""
    return f"wippy-node-{node_id}"


def reference(entry: Entry, name: str) -> str:
    """The entry id that a field refers to: a bare name is one of the entry's own namespace."""
    value = entry.data.get(name)
    if not isinstance(value, str) or not value:
        return ""
    return value if ":" in value else f"{entry.namespace}:{value}"


def task_queue(worker: Entry, client: Entry | None) -> str:
    """The queue of a `temporal.worker` entry, with the `tq_prefix` of its client."""
    prefix = client.data.get("tq_prefix") if client else ""
    return f"{prefix or ''}{worker.data.get('task_queue') or ''}"


def worker_settings(
    catalog: Catalog, worker_id: str, observe: Observe = ignore, *, strict: bool = False, keys: KeysOf = no_keys
) -> WorkerSettings:
    """The settings of a `temporal.worker` entry; raises UnitFailed when it, or its client or queue, is missing."""
    worker = catalog.entry(worker_id)
    if worker is None or worker.kind != "temporal.worker":
        raise UnitFailed(not_found(f"no temporal.worker entry '{worker_id}'"))
    client = catalog.entry(reference(worker, "client"))
    if client is None or client.kind != "temporal.client":
        raise UnitFailed(invalid(f"worker '{worker_id}' names no temporal.client entry"))
    queue = task_queue(worker, client)
    if not worker.data.get("task_queue"):
        raise UnitFailed(invalid(f"worker '{worker_id}' has no task_queue"))
    return WorkerSettings(catalog, worker_id, client.id, queue, observe, strict=strict, keys=keys)
