"""Workers: what makes a node take tasks from the queues of Temporal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorAutoscaling, Replayer, Worker

from engine.contracts.node import Node
from engine.hosts.temporal.client.connections import health_interval
from engine.hosts.temporal.node.activities import Activity, FunctionActivities, NodeActivities, PeerActivities
from engine.hosts.temporal.node.peers import Peers
from engine.hosts.temporal.settings import FLEET_QUEUE, WorkerSettings, node_queue
from engine.hosts.temporal.wire.interceptors import WorkerHeaders
from engine.hosts.temporal.worker.deployments import see_to_current
from engine.hosts.temporal.worker.options import GRACE, HEARTBEAT_THROTTLE, sdk_options, version_of
from engine.hosts.temporal.worker.resolving import ResolvingActivities
from engine.hosts.temporal.worker.runner import BatchRunner
from engine.hosts.temporal.worker.tended import TendedWorker, Work, check_health
from engine.hosts.temporal.workflow.definition import LuaWorkflow
from engine.registry.placeholders import filled

WORKFLOW_THREADS = 8


def workflow_worker(
    client: Client, node: Node, settings: WorkerSettings, environ: Mapping[str, str] | None = None
) -> Worker:
    """The worker of a `temporal.worker` entry: any `workflow.lua` and any function of the registry.

    `environ` fills in `${env:NAME}` of its options; raises UnitFailed (Invalid) for options that contradict.
    """
    given = _given(settings, environ or {})
    options = sdk_options(settings.worker, given)
    activities = [
        FunctionActivities(node).function,
        *NodeActivities(node).deliveries(),
        *ResolvingActivities(node.catalog, client, strict=settings.strict).all(),
    ]
    worker = TendedWorker(
        client,
        task_queue=settings.task_queue,
        workflows=[] if given.get("disable_workflow_worker") is True else [LuaWorkflow],
        activities=activities,
        workflow_task_executor=ThreadPoolExecutor(WORKFLOW_THREADS, thread_name_prefix=f"workflows {settings.worker}"),
        workflow_runner=BatchRunner(),
        unsandboxed_workflow_runner=BatchRunner(),
        interceptors=[WorkerHeaders(settings)],
        **options,
    )
    worker.beside = tuple(_beside(client, settings, version_of(options)))
    return worker


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


def _beside(client: Client, settings: WorkerSettings, version: WorkerDeploymentVersion | None) -> Iterator[Work]:
    if version:
        yield lambda: see_to_current(client, version)
    entry = settings.catalog.entry(settings.client)
    if entry and (interval := health_interval(entry)):
        yield lambda: check_health(client, interval)


def _given(settings: WorkerSettings, environ: Mapping[str, str]) -> Mapping[str, Any]:
    entry = settings.catalog.entry(settings.worker)
    options = filled(entry.data.get("worker_options"), environ, missing="") if entry else None
    return options if isinstance(options, Mapping) else {}
