"""The workers of a node's own queues, by which consoles and other nodes reach it."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from engine.contracts.node import Node
from engine.contracts.serving import Server
from engine.hosts.temporal.node.activities import NodeActivities
from engine.hosts.temporal.node.execution import Activity
from engine.hosts.temporal.node.peer_activities import PeerActivities
from engine.hosts.temporal.node.peers import TemporalPeers
from engine.hosts.temporal.node.serving import ServingActivities
from engine.hosts.temporal.settings import FLEET_QUEUE, GRACE, HEARTBEAT_THROTTLE, node_queue
from engine.hosts.temporal.wire.interceptors import WorkerHeaders


def node_workers(
    client: Client,
    node: Node,
    peers: TemporalPeers | None = None,
    more: Sequence[Activity] = (),
    server: Server | None = None,
) -> list[Worker]:
    """The workers of the queues by which consoles and other nodes reach this one: the fleet's, and its own.

    With a `server` it answers HTTP requests.
    """
    anywhere = [*NodeActivities(node).all(), *(ServingActivities(node, server).all() if server else ())]
    here = [*anywhere, *(PeerActivities(node, peers).all() if peers else ()), *more]
    return [_activity_worker(client, FLEET_QUEUE, anywhere), _activity_worker(client, node_queue(node.id), here)]


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
