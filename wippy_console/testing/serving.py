"""Workflows on a real Temporal: a node of this process serves what a test publishes, as `manage.py worker` would."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connection, connections

from engine.entry import Entry
from wippy_console.database import append_only
from wippy_console.database.threads import settle
from wippy_console.management.operations import operator
from wippy_console.models import AuditRow, Question, Run
from wippy_console.permissions import install_groups
from wippy_console.services import decisions, registry, runs, temporal
from wippy_console.testing import entries as reading
from wippy_console.worker.node import WorkerNode
from wippy_console.worker.watch.ledger import Ledger, memory

PATIENCE = 60.0
"""Seconds that a test waits for what must come; on a loaded machine a step takes long."""
LOOK = 0.05
CLIENT, WORKER, HOST = "testing:client", "testing:worker", "testing:processes"


class TestedRun:
    """A run, as tests look at it. `__test__` keeps pytest from taking it for tests."""

    __test__ = False

    def __init__(self, started: runs.Started) -> None:
        self.started = started

    @property
    def row(self) -> Run:
        """As the console has it now."""
        return Run.objects.get(run_id=self.started.run_id)

    def result(self, timeout: float = PATIENCE) -> Any:
        """What the workflow returns; UnitFailed when it fails, or is not done in time."""
        return runs.result(self.started, timeout)

    def question(self, topic: str = "", timeout: float = PATIENCE) -> Question:
        """The open question that one may answer by the topic, any by default, once the run asks it."""

        def asked() -> Question | None:
            found = Question.objects.filter(run__run_id=self.started.run_id, closed_at=None).order_by("pk")
            return next((each for each in found if not topic or topic in {name for name, _ in each.waits}), None)

        found: Question = waited(asked, f"the run asks no question {topic}".rstrip(), timeout)
        return found

    def answer(self, topic: str, payload: Any = None, *, reason: str = "", label: str = "") -> None:
        """Answer as an operator does, once the run asks; raises what the console says."""
        self.question(topic)
        decisions.send(operator(), self.row, topic, payload, reason=reason, label=label)

    def signal(self, topic: str, *payload: Any) -> None:
        """Send a signal, whatever the entry declares."""
        decisions.send_raw(operator(), self.row, topic, *payload)


class Workflows:
    """The registry and the worker of one test."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._prefix = f"test-{uuid.uuid4()}-"

    def publish(self, *sources: str | Path | Entry) -> None:
        """Publish folders of entries, and single ones; in the folder's place of Temporal stands the test's own."""
        given = [self._placed(each) for each in reading.read(*sources)]
        known = {each.id for each in registry.entries()}
        changes = registry.Changes(
            create=tuple(each for each in given if each.id not in known),
            update=tuple(each for each in given if each.id in known),
        )
        registry.publish(operator(), changes, base=None, message="test")
        temporal.catalog().refresh()

    def start(self, entry: str, *args: Any, id: str = "") -> TestedRun:
        """Start a workflow; it runs at once."""
        return TestedRun(runs.start(operator(), entry, "", list(args), id))

    def run_of(self, workflow_id: str, timeout: float = PATIENCE) -> TestedRun:
        """The newest run of that workflow id, which the app's own code starts or has started."""

        def known() -> Run | None:
            return Run.objects.filter(workflow_id=workflow_id).order_by("-pk").first()

        run = waited(known, f"no run of {workflow_id} begins", timeout)
        return TestedRun(runs.Started(run.pid, run.workflow_id, run.run_id))

    def first(self) -> None:
        """What every test has: a client, a worker, and a host for processes."""
        self.publish(
            Entry(CLIENT, "temporal.client", {}, {}),
            Entry(WORKER, "temporal.worker", {}, {"client": CLIENT, "task_queue": "tests"}),
            Entry(HOST, "process.host", {}, {}),
        )

    def _placed(self, entry: Entry) -> Entry:
        """A client leads to the test's server, and to queues that nobody else serves."""
        if entry.kind != "temporal.client":
            return entry
        return replace(entry, data={"address": self._address, "namespace": "default", "tq_prefix": self._prefix})


def waited(look: Callable[[], Any], otherwise: str, timeout: float) -> Any:
    """What the look finds at last; AssertionError with the text when the time is over."""
    end = time.monotonic() + timeout
    while (found := look()) is None:
        assert time.monotonic() < end, f"{otherwise} within {timeout:g} seconds"
        time.sleep(LOOK)
    return found


@contextmanager
def serving(address: str) -> Iterator[Workflows]:
    """A registry with a client and a worker, served by a node on a thread until the test is over."""
    assert not _in_memory(), "SQLite in memory is no database for two: use wippy_console.testing.settings"
    _make_emptiable()
    temporal.reset()
    made = Workflows(address)
    made.first()
    stop: list[Callable[[], object]] = []
    began = threading.Event()
    thread = threading.Thread(target=_live, args=(began, stop), name="node of a test")
    thread.start()
    began.wait()
    try:
        yield made
    finally:
        stop[0]()
        thread.join()
        temporal.reset()


def _live(began: threading.Event, stop: list[Callable[[], object]]) -> None:
    async def live() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(over.set))
        began.set()
        with closing(WorkerNode(Ledger(memory()))) as node:
            await node.run(over)

    try:
        asyncio.run(live())
    finally:
        settle(PATIENCE)
        connections.close_all()


def _make_emptiable() -> None:
    """Tests end by emptying all tables, the audit among them, and with them go the groups of the first migration."""
    append_only.remove(connection, AuditRow._meta.db_table)
    install_groups(Group, Permission)


def _in_memory() -> bool:
    default = connections["default"]
    return default.vendor == "sqlite" and "memory" in str(default.settings_dict["NAME"])
