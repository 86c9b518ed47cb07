"""Workers: what makes a node take tasks from the queues of Temporal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypedDict, cast

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Replayer, Worker

from engine.durations import SECOND, option_duration
from engine.host import Node
from engine.hosts.temporal.activities import Activity, FunctionActivities, NodeActivities, PeerActivities
from engine.hosts.temporal.interceptors import WorkerHeaders
from engine.hosts.temporal.peers import Peers
from engine.hosts.temporal.resolving import ResolvingActivities
from engine.hosts.temporal.runner import BatchRunner
from engine.hosts.temporal.settings import FLEET_QUEUE, WorkerSettings, node_queue
from engine.hosts.temporal.workflow import LuaWorkflow

# A running activity gets this long to end when its node shuts down (pitfall 34).
GRACE = timedelta(seconds=10)
# Cancels reach an activity with the answer to a heartbeat; the SDK would hold beats back for most of their timeout.
HEARTBEAT_THROTTLE = timedelta(seconds=2)
WORKFLOW_THREADS = 8


class _Sizes(TypedDict, total=False):
    max_concurrent_activities: int
    max_concurrent_workflow_tasks: int
    max_concurrent_local_activities: int
    max_activities_per_second: float
    max_task_queue_activities_per_second: float
    sticky_queue_schedule_to_start_timeout: timedelta
    graceful_shutdown_timeout: timedelta
    identity: str
    max_cached_workflows: int
    disable_eager_activity_execution: bool


_WHOLE = {
    "max_concurrent_activity_execution_size": "max_concurrent_activities",
    "max_concurrent_workflow_task_execution_size": "max_concurrent_workflow_tasks",
    "max_concurrent_local_activity_execution_size": "max_concurrent_local_activities",
    "max_cached_workflows": "max_cached_workflows",
}
_RATES = {
    "worker_activities_per_second": "max_activities_per_second",
    "task_queue_activities_per_second": "max_task_queue_activities_per_second",
}
_SPANS = {
    "sticky_schedule_to_start_timeout": "sticky_queue_schedule_to_start_timeout",
    "worker_stop_timeout": "graceful_shutdown_timeout",
}


def workflow_worker(client: Client, node: Node, settings: WorkerSettings) -> Worker:
    """The worker of a `temporal.worker` entry: any `workflow.lua` and any function of the registry."""
    activities = [
        FunctionActivities(node).function,
        *NodeActivities(node).deliveries(),
        *ResolvingActivities(node.catalog, client, strict=settings.strict).all(),
    ]
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[LuaWorkflow],
        activities=activities,
        workflow_task_executor=ThreadPoolExecutor(WORKFLOW_THREADS, thread_name_prefix=f"workflows {settings.worker}"),
        workflow_runner=BatchRunner(),
        unsandboxed_workflow_runner=BatchRunner(),
        interceptors=[WorkerHeaders(settings)],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        **_sizes(settings),
    )


def node_workers(client: Client, node: Node, peers: Peers | None = None, more: Sequence[Activity] = ()) -> list[Worker]:
    """The workers of the queues by which consoles and other nodes reach this one: the fleet's, and its own."""
    anywhere = NodeActivities(node).all()
    here = [*anywhere, *(PeerActivities(node, peers).all() if peers else ()), *more]
    return [_activity_worker(client, FLEET_QUEUE, anywhere), _activity_worker(client, node_queue(node.id), here)]


def replayer(settings: WorkerSettings) -> Replayer:
    """Replays histories with the programs of the settings' catalog."""
    return Replayer(
        workflows=[LuaWorkflow],
        workflow_runner=BatchRunner(),
        unsandboxed_workflow_runner=BatchRunner(),
        interceptors=[WorkerHeaders(settings)],
    )


def _activity_worker(client: Client, queue: str, activities: Sequence[Activity]) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        interceptors=[WorkerHeaders()],
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=GRACE,
    )


def _sizes(settings: WorkerSettings) -> _Sizes:
    """The `worker_options` of lua-api 18 that the SDK has; zero means its default, unknown ones are ignored."""
    entry = settings.catalog.entry(settings.worker)
    options = entry.data.get("worker_options") if entry else None
    given: Mapping[str, Any] = options if isinstance(options, Mapping) else {}
    sizes: dict[str, Any] = {"graceful_shutdown_timeout": GRACE}
    sizes |= {ours: int(given[theirs]) for theirs, ours in _WHOLE.items() if _positive(given.get(theirs))}
    sizes |= {ours: float(given[theirs]) for theirs, ours in _RATES.items() if _positive(given.get(theirs))}
    sizes |= {ours: _span(given[theirs]) for theirs, ours in _SPANS.items() if _span(given.get(theirs))}
    if isinstance(given.get("identity"), str) and given["identity"]:
        sizes["identity"] = given["identity"]
    return cast("_Sizes", sizes)


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _span(value: Any) -> timedelta | None:
    nanoseconds = option_duration(value)
    return timedelta(seconds=nanoseconds / SECOND) if nanoseconds and nanoseconds > 0 else None
