"""The workers page: queues as Temporal sees them, nodes, builds and their promotion; whole while Temporal is away."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from temporalio.client import Client as Temporal
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from engine.entry import Entry
from engine.hosts.temporal.worker.deployments import ensure_current
from tests.console import flows
from tests.console.operating import CLIENT, WORKER, Stage, on_a_thread, stage
from tests.console.registry_cast import create
from tests.console.test_worker import until
from tests.ports import free_port
from wippy_console.models import AuditRow, FeedEvent, Node, Run
from wippy_console.services import temporal, temporal_asking

NOW = timezone.now()


@pytest.fixture
def on_stage(transactional_db: None, temporal_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(settings, "TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setattr(temporal_asking, "PATIENCE_SECONDS", 60.0)
    with stage(temporal_address) as made:
        yield made


def node(**fields: Any) -> Node:
    made = {"id": "n", "hostname": "h", "os_pid": 1, "started_at": NOW - timedelta(hours=3), "units": 7}
    return Node.objects.create(**{**made, "heartbeat_at": timezone.now(), "version": "0.1, kernel 2", **fields})


def untaken(queue: str, client: str = CLIENT) -> Run:
    return Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id="order", entry_id="app:flow", client=client, task_queue=queue,
        started_at=NOW - timedelta(hours=1),
    )  # fmt: skip


def signed_in(client: Client, name: str = "rita", group: str = "") -> User:
    user = User.objects.create_user(name, is_superuser=not group)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return user


def test_a_queue_says_who_polls_it_and_what_waits(client: Client, on_stage: Stage) -> None:
    signed_in(client)
    node(task_queues=[on_stage.queue])
    until(lambda: "1 poller" in client.get("/workers/").content.decode())
    text = client.get("/workers/").content.decode()
    assert f'<b class="mono">{on_stage.queue}</b>' in text and "nothing waits" in text and WORKER in text
    assert "0.1, kernel 2" in text and 'data-time="since"' in text
    assert "No worker is versioned" in text and "use_versioning: true" in text


def test_a_queue_that_nobody_polls_says_how_many_runs_wait(client: Client, on_stage: Stage) -> None:
    signed_in(client)
    untaken("billing")
    untaken("billing")
    text = client.get("/workers/").content.decode()
    assert "2 runs wait" in text and "/runs/?status=no_worker" in text and "no worker entry" in text
    assert text.index("billing") < text.index(on_stage.queue)  # what needs a look comes first


@pytest.mark.django_db(transaction=True)
def test_the_page_is_whole_while_temporal_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    free_address = f"127.0.0.1:{free_port()}"
    monkeypatch.setattr(settings, "TEMPORAL_ADDRESS", free_address)
    temporal.reset()
    signed_in(client)
    create(
        Entry("app:client", "temporal.client", {}, {"address": free_address, "namespace": "default"}),
        Entry("app:worker", "temporal.worker", {}, {"client": "client", "task_queue": "orders"}),
    )
    node(task_queues=["orders"])
    try:
        until(lambda: "Not reachable" in client.get("/workers/").content.decode())  # an answer is good for two seconds
        text = client.get("/workers/").content.decode()
    finally:
        temporal.reset()
    assert "Not known" in text and "Which there are is not known now" in text
    assert '<b class="mono">orders</b>' in text and "0.1, kernel 2" in text and "7" in text


@pytest.mark.django_db(transaction=True)
def test_a_temporal_that_hangs_holds_the_page_up_for_seconds_only(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(settings, "TEMPORAL_ADDRESS", address)
        temporal.reset()
        signed_in(client)
        create(
            Entry("app:client", "temporal.client", {}, {"address": address, "namespace": "default"}),
            Entry("app:worker", "temporal.worker", {}, {"client": "client", "task_queue": "orders"}),
        )
        node(task_queues=["orders"])
        text = client.get("/workers/").content.decode()
    temporal.reset()
    assert "Temporal did not answer within 2 seconds." in text and "0.1, kernel 2" in text


@contextmanager
def versioned(address: str, name: str) -> Iterator[None]:
    """Workers of the builds one and two of a deployment, on a loop of their own; one is current."""
    queue = f"q-{uuid.uuid4()}"

    async def serve(until_stopped: Callable[[], Awaitable[None]]) -> None:
        client = await Temporal.connect(address)
        async with build(client, "one"):
            await ensure_current(client, WorkerDeploymentVersion(name, "one"))
            async with build(client, "two"):
                await until_stopped()

    def build(client: Temporal, build_id: str) -> Worker:
        version = WorkerDeploymentVersion(name, build_id)
        config = WorkerDeploymentConfig(version, True, VersioningBehavior.PINNED)
        return Worker(
            client,
            task_queue=queue,
            workflows=[flows.Deaf],
            deployment_config=config,
            workflow_runner=UnsandboxedWorkflowRunner(),
        )

    with on_a_thread(serve):
        yield


def test_an_operator_promotes_a_build_once_and_it_is_noted(client: Client, on_stage: Stage) -> None:
    name = f"shop-{uuid.uuid4().hex[:8]}"
    address = f"/workers/promote/?client={CLIENT}&deployment={name}&build=two"

    with versioned(settings.TEMPORAL_ADDRESS, name):
        signed_in(client, "olga", "operator")
        until(lambda: f"Promote build two of {name}" in client.get("/workers/").content.decode())
        text = client.get("/workers/").content.decode()
        assert "Current" in text and f"Promote build one of {name}" not in text
        form = client.get(address).content.decode()
        assert "Make this build current?" in form and 'name="instead" value="one"' in form
        stale = client.post(address, {"key": str(uuid.uuid4()), "instead": "zero"})
        assert stale.status_code == 409 and not AuditRow.objects.filter(action="promote").exists()
        sent = {"key": str(uuid.uuid4()), "instead": "one"}
        assert client.post(address, sent).status_code == 302
        again = client.post(address, sent)
        assert again.status_code == 409 and "is current already" in again.content.decode()
        row = AuditRow.objects.get(action="promote")
        assert (row.user, row.outcome, row.data["build"], row.data["instead"]) == ("olga", "done", "two", "one")
        assert FeedEvent.objects.get(kind="OPERATION").data["name"] == f"{name} two"
        text = client.get("/workers/").content.decode()
        assert f"Promote build one of {name}" in text and "user:olga" in text
        assert client.get(address.replace("=two", "=three")).status_code == 200
        assert client.post(address.replace("=two", "=three"), sent).status_code == 404
        signed_in(client, "vera", "viewer")
        assert client.get(address).status_code == client.post(address, sent).status_code == 403
        assert "Promote build" not in client.get("/workers/").content.decode()


def test_the_queue_of_a_client_has_its_prefix(client: Client, transactional_db: None, on_stage: Stage) -> None:
    signed_in(client)
    create(
        Entry("other:client", "temporal.client", {}, {"address": settings.TEMPORAL_ADDRESS, "tq_prefix": "blue-"}),
        Entry("other:worker", "temporal.worker", {}, {"client": "client", "task_queue": "orders"}),
    )
    text = client.get("/workers/").content.decode()
    assert '<b class="mono">blue-orders</b>' in text and "other:client" in text
