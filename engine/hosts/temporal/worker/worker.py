"""Workers: what makes a node take tasks from the queues of Temporal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Replayer, Worker

from engine.contracts.node import Node
from engine.hosts.temporal.client.connections import health_interval
from engine.hosts.temporal.node.activities import NodeActivities
from engine.hosts.temporal.settings import WorkerSettings
from engine.hosts.temporal.wire.interceptors import WorkerHeaders
from engine.hosts.temporal.worker.background import BackgroundTask, WorkerWithBackground
from engine.hosts.temporal.worker.deployments import ensure_current
from engine.hosts.temporal.worker.functions import FunctionActivities
from engine.hosts.temporal.worker.health import check_health
from engine.hosts.temporal.worker.options import sdk_options, version_of
from engine.hosts.temporal.worker.resolving import ResolvingActivities
from engine.hosts.temporal.worker.runner import BatchRunner
from engine.hosts.temporal.worker.trimming import trim_after_bursts
from engine.hosts.temporal.workflow.definition import LuaWorkflow
from engine.registry.placeholders import filled

# Threads cost nothing until a task needs one. Many, since an endless step holds one until the watch interrupts it.
WORKFLOW_THREADS = 64


def workflow_worker(
    client: Client, node: Node, settings: WorkerSettings, environ: Mapping[str, str] | None = None
) -> Worker:
    """The worker of a `temporal.worker` entry: any `workflow.lua` and any function of the registry.

    `environ` fills in `${env:NAME}` of its options; raises UnitFailed (Invalid) for options that contradict.
    """
    given = _given(settings, environ or {})
    options = sdk_options(settings.worker, given)
    activities = [
        FunctionActivities(node, settings.observe).function,
        *NodeActivities(node).deliveries(),
        *ResolvingActivities(node.catalog, client, strict=settings.strict).all(),
    ]
    worker = WorkerWithBackground(
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
    worker.background = tuple(_background(client, settings, version_of(options)))
    return worker


def replayer(settings: WorkerSettings) -> Replayer:
    """Replays histories with the programs of the settings' catalog."""
    return Replayer(
        workflows=[LuaWorkflow],
        workflow_runner=BatchRunner(),
        unsandboxed_workflow_runner=BatchRunner(),
        interceptors=[WorkerHeaders(settings)],
    )


def _background(
    client: Client, settings: WorkerSettings, version: WorkerDeploymentVersion | None
) -> Iterator[BackgroundTask]:
    yield trim_after_bursts
    if version:
        yield lambda: ensure_current(client, version)
    entry = settings.catalog.entry(settings.client)
    if entry and (interval := health_interval(entry)):
        yield lambda: check_health(client, interval)


def _given(settings: WorkerSettings, environ: Mapping[str, str]) -> Mapping[str, Any]:
    entry = settings.catalog.entry(settings.worker)
    options = filled(entry.data.get("worker_options"), environ, missing="") if entry else None
    return options if isinstance(options, Mapping) else {}
