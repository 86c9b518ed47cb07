"""A small cast of people, a registry and a worker on a real Temporal: the stage of tests of operations."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone
from temporalio.client import Client

from engine.entry import Entry
from engine.hosts.temporal.observations import Observation
from engine.steps import Wait
from tests.console import flows
from tests.patience import PATIENCE
from wippy_console import permissions
from wippy_console.management.operations import operator
from wippy_console.models import Question, Run
from wippy_console.services import histories, projection, registry, runs, temporal
from wippy_console.services.registry import Changes

CLIENT, WORKER = "app:client", "app:worker"
LUA = "return {main = function() end}"

SIGNALS: list[dict[str, Any]] = [
    {
        "topic": "decision",
        "label": "Approve",
        "payload": {"approved": True},
        "schema": {
            "type": "object",
            "properties": {"comment": {"type": "string", "maxLength": 20}, "amount": {"type": "integer", "minimum": 1}},
            "required": ["comment"],
            "additionalProperties": False,
        },
        "tone": "positive",
        "role": "approvers",
        "reason": "required",
    },
    {"topic": "decision", "label": "Reject", "payload": {"approved": False}, "reason": "none"},
    {"topic": "comment", "label": "Comment", "schema": {"type": "object"}},
]


@dataclass(frozen=True)
class Cast:
    """One person per role; `approver` is an operator in the group approvers, `stranger` has no rights at all."""

    viewer: User
    operator: User
    author: User
    administrator: User
    approver: User
    stranger: User
    root: User


def make_cast() -> Cast:
    """Everybody may enter the admin, so that only their permissions decide what they see there."""
    permissions.install_groups(Group, Permission)
    people = {
        name: User.objects.create_user(name, password="secret", is_staff=True, is_superuser=name == "root")
        for name in Cast.__annotations__
    }
    for name, person in people.items():
        groups = {"approver": ["operator", "approvers"], "stranger": [], "root": []}.get(name, [name])
        person.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return Cast(**people)


@dataclass
class Stage:
    """The registry and its worker; starts runs and lets them ask."""

    address: str
    queue: str
    cast: Cast

    def start(self, entry: str = "app.flows:approval", *args: Any, by: User | None = None) -> Run:
        """A run that Temporal has and the projection knows."""
        started = runs.start(by or self.cast.operator, entry, WORKER, list(args))
        run = Run.objects.get(run_id=started.run_id)
        if entry != "app.flows:stuck":
            settle(run)
        return run

    def ask(self, run: Run, channel: str = "", number: int = 0, deadline: datetime | None = None) -> Question:
        """Observe that the run waits on the inbox or a topic, with a timer beside it."""
        waits = [Wait("topic", channel, number) if channel else Wait("inbox", "", number)]
        if deadline is not None:
            waits.append(Wait("timer", "", 1, int(deadline.timestamp() * 1e9)))
        self.observe(run, *waits)
        return run.questions.get(channel=channel, number=number)

    def observe(self, run: Run, *waits: Wait, topics: tuple[str, ...] = (), refused: tuple[str, ...] = ()) -> None:
        """What the worker would tell the projection after a step."""
        seen = Observation(
            run.workflow_id, run.run_id, run.entry_id, run.pid, CLIENT, WORKER, self.queue, "default", "d" * 64,
            registry.current_number(), 3, "running", waits, timezone.now(), run.started_at, topics=topics,
            refused=refused,
        )  # fmt: skip
        projection.write(temporal.catalog(), [seen])


def entries(address: str, queue: str) -> list[Entry]:
    """The workflows of flows.py as entries."""
    schema = {"type": "object", "properties": {"wanted": {"type": "integer"}}, "required": []}
    approval = {"title": "Approval", "signals": SIGNALS, "input_schema": schema}
    return [
        Entry(CLIENT, "temporal.client", data={"address": address}),
        Entry(WORKER, "temporal.worker", data={"client": CLIENT, "task_queue": queue}),
        Entry("app.flows:approval", "workflow.lua", meta=approval, data={"source": LUA}),
        Entry("app.flows:again", "workflow.lua", meta={**approval, "title": "Approval, again"}, data={"source": LUA}),
        Entry("app.flows:everything", "workflow.lua", data={"source": LUA}),
        Entry("app.flows:child", "workflow.lua", data={"source": LUA}),
        Entry("app.flows:deaf", "workflow.lua", data={"source": LUA}),
        Entry("app.flows:retrying", "workflow.lua", meta={"summary": "every {0} s"}, data={"source": LUA}),
        Entry("app.flows:steps", "workflow.lua", data={"source": LUA}),
        Entry("app.flows:stuck", "workflow.lua", data={"source": LUA}),
        Entry("app.api:charge", "function.lua", data={"source": LUA}),
    ]


@contextmanager
def stage(address: str) -> Iterator[Stage]:
    """Publish the entries and serve their workflows in plain Python."""
    queue = f"q-{uuid.uuid4()}"
    temporal.reset()
    registry.publish(operator(), Changes(create=tuple(entries(address, queue))), base=None, message="stage")
    with serving(address, queue):
        yield Stage(address, queue, make_cast())
    temporal.reset()


@contextmanager
def on_a_thread(serve: Callable[[Callable[[], Awaitable[None]]], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """What serves, on a loop thread of its own; it awaits what it is given when it is ready, and stops after that."""
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()

    async def until_stopped() -> None:
        ready.set()
        await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve(until_stopped)])
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        loop.close()


@contextmanager
def serving(address: str, queue: str) -> Iterator[None]:
    """A worker with the workflows of flows.py, on a loop thread of its own."""

    async def serve(until_stopped: Callable[[], Awaitable[None]]) -> None:
        client = await Client.connect(address)
        async with flows.worker(client, queue):
            await until_stopped()

    with on_a_thread(serve):
        yield


def settle(run: Run) -> None:
    """Wait until no workflow task is under way: until then Temporal keeps signals back and gives them no event."""
    end = time.monotonic() + PATIENCE
    while histories.describe(run).HasField("pending_workflow_task"):
        assert time.monotonic() < end
        time.sleep(0.02)


def soon(minutes: float = 5) -> datetime:
    """A deadline some minutes from now."""
    return timezone.now() + timedelta(minutes=minutes)
