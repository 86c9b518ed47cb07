"""A node end to end: `manage.py worker` as a process, a real Temporal, the real database; killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from engine.entry import Entry
from tests.console.serving import environment
from tests.patience import PATIENCE, at_most
from tests.ports import free_port
from wippy_console.management.operations import operator
from wippy_console.models import FeedEvent, HistoryArchive, Node, Question, Run, Service
from wippy_console.services import registry
from wippy_console.supervision.dev_server import DevServer, prepare

pytestmark = pytest.mark.django_db(transaction=True)

APPROVAL = """
return { main = function(order)
    local message = process.inbox():receive()
    return { approved = message.approved, order = order }
end }
"""
WATCHER = """
local logger = require("logger")
return { main = function()
    local pid = process.spawn("app:approval", "app:worker", 7)
    logger:info("spawned", { pid = pid })
    for event in process.events():iter() do
        if event.type == "EXIT" then
            logger:info("exit", { pid = event.pid })
        elseif event.type == "CANCEL" then
            return
        end
    end
end }
"""
SIGNALS = [{"topic": "decision", "label": "Approve", "payload": {"approved": True}, "role": "approvers"}]
MANAGE = Path(__file__).parents[2] / "manage.py"


def entries(address: str, queue: str) -> list[Entry]:
    return [
        Entry("app:client", "temporal.client", {}, {"address": address}),
        Entry("app:worker", "temporal.worker", {}, {"client": "app:client", "task_queue": queue}),
        Entry("app:processes", "process.host", {}, {"host": {}}),
        Entry("app:approval", "workflow.lua", {"signals": SIGNALS}, {"source": APPROVAL, "method": "main"}),
    ]


def publish(*create: Entry) -> None:
    registry.publish(operator(), registry.Changes(create=tuple(create)), base=None, message="test")


@pytest.fixture
def queue() -> str:
    return f"queue-{uuid.uuid4().hex[:8]}"


class Server:
    """A client of the Temporal of the test, for synchronous code."""

    def __init__(self, address: str, queue: str) -> None:
        self.address = address
        self.queue = queue

    def do(self, action: Callable[[Client], Any]) -> Any:
        async def run() -> Any:
            return await action(await Client.connect(self.address))

        return asyncio.run(run())

    def start(self, workflow_id: str, order: Any = 7, delay: timedelta | None = None) -> str:
        def begin(client: Client) -> Any:
            return client.start_workflow(
                "app:approval", order, id=workflow_id, task_queue=self.queue, start_delay=delay
            )

        handle: WorkflowHandle[Any, Any] = self.do(begin)
        return handle.first_execution_run_id or ""

    def approve(self, workflow_id: str) -> None:
        self.do(lambda client: client.get_workflow_handle(workflow_id).signal("decision", {"approved": True}))

    def terminate(self, workflow_id: str) -> None:
        self.do(lambda client: client.get_workflow_handle(workflow_id).terminate("enough"))


@pytest.fixture
def server(temporal_address: str, queue: str) -> Server:
    publish(*entries(temporal_address, queue))
    return Server(temporal_address, queue)


@contextmanager
def running_node(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One node; its output goes to `log`. Killed at the end unless the test did it."""
    command = [sys.executable, str(MANAGE), "worker"]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, env=environment(), stdout=output, stderr=output) as process,
    ):
        try:
            until(lambda: Node.objects.filter(os_pid=process.pid, stopped_at=None).exists(), log=log)
            yield process
        finally:
            process.kill()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "node.log"


def until(condition: Callable[[], Any], seconds: float = PATIENCE, log: Path | None = None) -> Any:
    """The condition's value as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            text = log.read_text() if log and log.exists() else ""
            raise AssertionError(f"did not come true in {seconds} s; the node said:\n{text[-6000:]}")
        time.sleep(0.05)
    return value


def kinds(run_id: str) -> list[str]:
    return list(FeedEvent.objects.filter(run_id=run_id).order_by("id").values_list("kind", flat=True))


def open_question(run_id: str) -> Question | None:
    return Question.objects.filter(run_id=run_id, closed_at=None).first()


def test_a_foreign_start_becomes_a_run_with_a_question_and_survives_a_kill(server: Server, log: Path) -> None:
    with running_node(log) as process:
        run_id = server.start("order-1", {"amount": 7})
        question = until(lambda: open_question(run_id), log=log)
        run = Run.objects.get(pk=run_id)
        assert (run.workflow_id, run.entry_id, run.client, run.worker) == (
            "order-1",
            "app:approval",
            "app:client",
            "app:worker",
        )
        assert (run.input, run.status, run.task_queue) == ([{"amount": 7}], "running", server.queue)
        assert (len(run.program), run.registry_version) == (64, 1)
        assert [role.role for role in question.roles.all()] == ["approvers"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    server.approve("order-1")
    with running_node(log):
        until(lambda: Run.objects.filter(pk=run_id, status="completed").exists(), log=log)
        run.refresh_from_db()
        assert run.result == {"approved": True, "order": {"amount": 7}}
        assert kinds(run_id) == ["STARTED", "WAITING", "RESUMED", "EXIT"]
        assert open_question(run_id) is None
        assert HistoryArchive.objects.get(run_id=run_id).events == run.history_length


def test_runs_that_end_elsewhere_exit_too(server: Server, log: Path) -> None:
    asleep = server.start("while-no-node-lives")
    server.terminate("while-no-node-lives")
    with running_node(log):
        until(lambda: kinds(asleep) == ["STARTED", "EXIT"], log=log)
        awake = server.start("while-a-node-lives")
        until(lambda: open_question(awake), log=log)
        server.terminate("while-a-node-lives")
        until(lambda: kinds(awake) == ["STARTED", "WAITING", "EXIT"], log=log)
    run = Run.objects.get(pk=awake)
    assert run.status == "terminated"
    assert run.failure is not None
    assert run.failure["message"] == "workflow terminated"


def test_a_question_that_a_crash_lost_is_asked_again(server: Server, log: Path) -> None:
    with running_node(log):
        run_id = server.start("order-2")
        until(lambda: open_question(run_id), log=log)
    Question.objects.all().delete()
    Run.objects.filter(pk=run_id).update(history_length=0, waiting=[])
    Node.objects.all().delete()
    with running_node(log):
        until(lambda: open_question(run_id), log=log)
        assert Run.objects.get(pk=run_id).waiting[0]["kind"] == "inbox"


def test_a_process_hears_the_exit_of_a_run_that_somebody_terminates(server: Server, log: Path) -> None:
    publish(
        Entry("app:watcher", "process.lua", {}, {"source": WATCHER, "method": "main", "modules": ["logger"]}),
        Entry(
            "app:watching",
            "process.service",
            {},
            {
                "process": "app:watcher",
                "host": "app:processes",
                "lifecycle": {"auto_start": True, "requires": ["app:worker"]},
            },
        ),
    )
    with running_node(log):
        (spawned,) = until(lambda: lines(log, "spawned"), log=log)
        run = until(lambda: Run.objects.filter(status="running").first(), log=log)
        assert run.pid == spawned["fields"]["pid"]
        service = Service.objects.get(entry_id="app:watching")
        assert service.state == "running"
        server.terminate(run.workflow_id)
        (line,) = until(lambda: lines(log, "exit"), at_most(10), log)
        assert line["fields"]["pid"] == run.pid
        assert line["entry"] == "app:watcher"
        assert FeedEvent.objects.get(kind="EXIT", run_id=run.run_id).data["parent"] == service.pid
    states = FeedEvent.objects.filter(kind="SERVICE", entry_id="app:watching").order_by("id")
    assert "running" in [row.data["state"] for row in states]


def test_services_and_workers_start_and_stop_in_the_order_of_what_they_require(
    temporal_address: str, queue: str, log: Path
) -> None:
    client, worker, *others = entries(temporal_address, queue)
    waits = "return { main = function() process.events():receive() end }"
    lifecycle = {"auto_start": True, "requires": ["worker"]}
    publish(
        client,
        replace(worker, data={**worker.data, "lifecycle": {"requires": ["first"]}}),
        *others,
        Entry("app:waits", "process.lua", {}, {"source": waits}),
        Entry(
            "app:first",
            "process.service",
            {},
            {"process": "waits", "host": "processes", "lifecycle": {"auto_start": True}},
        ),
        Entry("app:last", "process.service", {}, {"process": "waits", "host": "processes", "lifecycle": lifecycle}),
    )
    wanted = ["app:first", "app:worker", "app:last"]
    with running_node(log) as process:
        until(lambda: Service.objects.filter(entry_id="app:last", state="running").exists(), log=log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(at_most(20)) == 0, log.read_text()
    rows = FeedEvent.objects.filter(kind="SERVICE", entry_id__in=wanted).order_by("id")
    assert [row.entry_id for row in rows if row.data["state"] == "running"] == wanted
    stopped = [row.entry_id for row in rows if row.data["state"] == "stopped"]
    assert stopped.index("app:last") < stopped.index("app:worker")


def test_a_node_that_ends_gives_a_service_the_time_that_its_entry_says(server: Server, log: Path) -> None:
    """Longer than the least that a node waits."""
    slow = """
    local time, logger = require("time"), require("logger")
    return { main = function() process.events():receive() time.sleep("9s") logger:info("stored") end }
    """
    lifecycle = {"auto_start": True, "stop_timeout": "30s"}
    publish(
        Entry("app:slow", "process.lua", {}, {"source": slow, "modules": ["time", "logger"]}),
        Entry("app:service", "process.service", {}, {"process": "slow", "host": "processes", "lifecycle": lifecycle}),
    )
    with running_node(log) as process:
        until(lambda: Service.objects.filter(entry_id="app:service", state="running").exists(), log=log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(at_most(40)) == 0, log.read_text()
    assert lines(log, "stored"), log.read_text()


def manage(*arguments: str) -> str:
    command = [sys.executable, str(MANAGE), *arguments]
    output = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return output.stdout.strip()


def lines(log: Path, message: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"time"')]
    return [line for line in found if line["message"] == message]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_that_is_asked_to_stop_says_goodbye(server: Server, log: Path, number: int) -> None:
    with running_node(log) as process:
        until(lambda: Node.objects.get(os_pid=process.pid).task_queues, log=log)
        process.send_signal(number)
        assert process.wait(at_most(20)) == 0, log.read_text()
    node = Node.objects.get()
    assert node.state == "stopped", log.read_text()
    assert [row.data["state"] for row in FeedEvent.objects.filter(kind="NODE")] == ["alive", "stopped"]


def test_ctrl_c_in_a_terminal_is_one_signal(server: Server, log: Path) -> None:
    """A terminal sends it to all processes of the group, and the guardian passes on what it gets."""
    command = [sys.executable, str(MANAGE), "worker"]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, env=environment(), stdout=output, stderr=output, start_new_session=True) as process,
    ):
        try:
            until(lambda: Node.objects.filter(os_pid=process.pid).exclude(task_queues=[]).exists(), log=log)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(at_most(20)) == 0, log.read_text()
        finally:
            process.kill()
    assert Node.objects.get().state == "stopped", log.read_text()


def test_a_published_worker_is_served_within_seconds(server: Server, log: Path) -> None:
    with running_node(log) as process:
        other = f"{server.queue}-other"
        publish(Entry("app:other", "temporal.worker", {}, {"client": "app:client", "task_queue": other}))
        until(lambda: other in Node.objects.get(os_pid=process.pid).task_queues, log=log)
        run_id = Server(server.address, other).start("order-3")
        until(lambda: open_question(run_id), log=log)
        assert Run.objects.get(pk=run_id).worker == "app:other"


def test_two_clients_of_one_server_and_a_changed_worker_run_side_by_side(server: Server, log: Path) -> None:
    with running_node(log) as process:
        until(lambda: server.queue in Node.objects.get(os_pid=process.pid).task_queues, log=log)
        other = f"{server.queue}-other"
        publish(
            Entry("app:client2", "temporal.client", {}, {"address": server.address}),
            Entry("app:other", "temporal.worker", {}, {"client": "app:client2", "task_queue": other}),
        )
        until(lambda: other in Node.objects.get(os_pid=process.pid).task_queues, log=log)
        worker = registry.entry("app:worker")
        changed = replace(worker, data={**worker.data, "worker_options": {"max_cached_workflows": 10}})
        registry.publish(operator(), registry.Changes(update=(changed,)), base=None, message="test")
        until(lambda: Service.objects.filter(entry_id__startswith="app:", state="running").count() == 4, log=log)
        run_id = server.start("two-clients")
        until(lambda: open_question(run_id), log=log)
        assert not FeedEvent.objects.filter(kind="SERVICE", data__state="failed").exists()


def test_a_node_outlives_a_temporal_that_is_down(queue: str, log: Path, tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    publish(*entries(address, queue))
    server = Server(address, queue)
    with running_node(log) as process, ExitStack() as stack:
        until(lambda: Service.objects.filter(entry_id="app:worker", state="failed").exists(), log=log)
        failed = Service.objects.get(entry_id="app:worker")
        assert f"{address} refuses the connection" in failed.error
        assert failed.next_attempt is not None
        temporal = stack.enter_context(started_temporal(tmp_path, port))
        until(lambda: queue in Node.objects.get(os_pid=process.pid).task_queues, log=log)
        run_id = server.start("order-4")
        until(lambda: open_question(run_id), log=log)
        temporal.kill()
        temporal.wait()
        time.sleep(3)
        assert process.poll() is None
        stack.enter_context(started_temporal(tmp_path, port))
        server.approve("order-4")
        until(lambda: kinds(run_id)[-1] == "EXIT", log=log)


@contextmanager
def started_temporal(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    server = DevServer(folder / "temporal.sqlite3", port)
    with subprocess.Popen(server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            asyncio.run(prepare(server.address))
            yield process
        finally:
            process.kill()


def test_two_nodes_share_the_work_and_tell_each_exit_once(server: Server, log: Path, tmp_path: Path) -> None:
    with running_node(log), running_node(tmp_path / "other.log"):
        ids = {server.start(f"shared-{n}") for n in range(10)}
        until(lambda: Question.objects.filter(run_id__in=ids, closed_at=None).count() == 10, log=log)
        for n in range(10):
            server.approve(f"shared-{n}")
        until(lambda: FeedEvent.objects.filter(kind="EXIT", run_id__in=ids).count() == 10, log=log)
        assert FeedEvent.objects.filter(kind="STARTED", run_id__in=ids).count() == 10
