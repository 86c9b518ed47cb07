"""The `temporal` command line does everything to Lua workflows that it does to others."""

from __future__ import annotations

import asyncio
import json
import subprocess
import uuid
from typing import Any

import pytest

from tests.engine.hosts.temporal.stage import Stage
from tests.patience import PATIENCE
from wippy_console.supervision.dev_server import BINARY

ORDER = """
local inbox, total = process.inbox(), a.total
while true do
    local m = inbox:receive()
    local topic, from = m:topic(), m:from()
    if topic == "add" then total = total + m:payload():data().amount
    elseif topic == "reserve" then
        process.send(from, "ack")
        process.send(from, "ok", {reserved = m:payload():data(), total = total})
    elseif topic == "refuse" then process.send(from, "nak", "not today")
    elseif topic == "later" then
        process.send(from, "ack")
        local go = process.listen("go"):receive()
        process.send(from, "ok", go)
    elseif topic == "finish" then return {total = total} end
end
"""
PATIENT = "local e = process.events():receive() return {type = e.type, kind = e.kind}"


class Cli:
    """Runs `temporal workflow ...` on one server; answers are read from its JSON."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """The finished command."""
        command = [str(BINARY), "workflow", *args, "--address", self._address, "--output", "json"]
        return await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    async def __call__(self, *args: str) -> Any:
        """What the command answers; it must succeed."""
        done = await self.run(*args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    async def refused(self, *args: str) -> str:
        """What the command says when it fails."""
        done = await self.run(*args)
        assert done.returncode != 0, done.stdout
        return done.stderr + done.stdout


@pytest.fixture
def cli(temporal_address: str) -> Cli:
    return Cli(temporal_address)


@pytest.fixture
def name() -> str:
    return f"cli-{uuid.uuid4()}"


async def start(cli: Cli, stage: Stage, name: str, entry: str, argument: Any = None) -> None:
    """Start a workflow by its type and queue."""
    given = ["--input", json.dumps(argument)] if argument is not None else []
    await cli("start", "--task-queue", stage.settings.task_queue, "--type", entry, "--workflow-id", name, *given)


async def result(cli: Cli, name: str) -> Any:
    """The result of a run, as the command line tells it."""
    return (await cli("result", "--workflow-id", name))["result"]


async def test_it_starts_signals_and_reads_the_result(stage: Stage, cli: Cli, name: str) -> None:
    stage.workflow("app:order", ORDER)
    await start(cli, stage, name, "app:order", {"total": 1})
    await cli("signal", "--workflow-id", name, "--name", "add", "--input", '{"amount": 2.5}')
    await cli("signal", "--workflow-id", name, "--name", "finish")
    assert await result(cli, name) == {"total": 3.5}


async def test_it_executes_updates_and_is_told_of_refusals(stage: Stage, cli: Cli, name: str) -> None:
    stage.workflow("app:order", ORDER)
    await start(cli, stage, name, "app:order", {"total": 7})
    done = await cli("update", "execute", "--workflow-id", name, "--name", "reserve", "--input", '["pen", 2]')
    assert done["result"] == {"reserved": ["pen", 2], "total": 7}
    assert "not today" in await cli.refused("update", "execute", "--workflow-id", name, "--name", "refuse")
    await cli("terminate", "--workflow-id", name)


async def test_it_starts_an_update_and_polls_it_later(stage: Stage, cli: Cli, name: str) -> None:
    stage.workflow("app:order", ORDER)
    await start(cli, stage, name, "app:order", {"total": 0})
    await cli(
        "update",
        "start",
        "--workflow-id",
        name,
        "--name",
        "later",
        "--update-id",
        "u-1",
        "--wait-for-stage",
        "accepted",
    )
    await cli("signal", "--workflow-id", name, "--name", "go", "--input", '"went"')
    done = await cli("update", "result", "--workflow-id", name, "--update-id", "u-1")
    assert done["result"] == "went"
    await cli("terminate", "--workflow-id", name)


async def test_it_queries_the_state_and_the_pid(stage: Stage, cli: Cli, name: str) -> None:
    stage.workflow("app:order", ORDER)
    await start(cli, stage, name, "app:order", {"total": 0})
    state = (await cli("query", "--workflow-id", name, "--type", "state"))["queryResult"][0]
    assert (state["entry"], state["status"]) == ("app:order", "waiting")
    assert [wait["kind"] for wait in state["waits"]] == ["inbox"]
    pid = (await cli("query", "--workflow-id", name, "--type", "pid"))["queryResult"]
    assert pid == [f"{{app:client@app:worker|{name}}}"]
    assert "query 'other' not found" in await cli.refused("query", "--workflow-id", name, "--type", "other")
    await cli("terminate", "--workflow-id", name)


async def test_its_cancel_is_an_event(stage: Stage, cli: Cli, name: str) -> None:
    stage.workflow("app:patient", PATIENT)
    await start(cli, stage, name, "app:patient")
    await cli("cancel", "--workflow-id", name)
    assert await result(cli, name) == {"type": "CANCEL", "kind": "pid.cancel"}


async def test_its_terminate_ends_the_run(stage: Stage, cli: Cli, name: str) -> None:
    stage.workflow("app:patient", PATIENT)
    await start(cli, stage, name, "app:patient")
    await cli("terminate", "--workflow-id", name, "--reason", "enough")
    failure = (await stage.exit(f"{{app:client@app:worker|{name}}}")).failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("Canceled", "workflow terminated")


async def test_it_describes_type_and_queue_of_a_run(stage: Stage, cli: Cli, name: str) -> None:
    stage.workflow("app:patient", PATIENT)
    await start(cli, stage, name, "app:patient")
    told = (await cli("describe", "--workflow-id", name))["workflowExecutionInfo"]
    assert (told["type"]["name"], told["taskQueue"]) == ("app:patient", stage.settings.task_queue)
    await cli("terminate", "--workflow-id", name)


RESET = ("--reason", "again", "--reapply-exclude", "All")


async def test_its_reset_to_the_beginning_keeps_a_program_that_came_with_the_start(
    stage: Stage, cli: Cli, name: str
) -> None:
    stage.workflow("app:order", "return 'the old program'")
    pid = await stage.spawn("app:order", name=name)
    assert (await stage.exit(pid)).value == "the old program"
    stage.workflow("app:order", "return 'the new program'")
    await cli("reset", "--workflow-id", name, "--type", "FirstWorkflowTask", *RESET)
    assert await result(cli, name) == "the old program"


async def test_its_reset_to_the_beginning_of_its_own_start_takes_the_program_of_now(
    stage: Stage, cli: Cli, name: str
) -> None:
    stage.workflow("app:order", "return 'the old program'")
    await start(cli, stage, name, "app:order")
    assert await result(cli, name) == "the old program"
    stage.workflow("app:order", "return 'the new program'")
    await cli("reset", "--workflow-id", name, "--type", "FirstWorkflowTask", *RESET)
    assert await result(cli, name) == "the new program"


async def test_its_reset_to_a_later_task_keeps_what_was_done(stage: Stage, cli: Cli, name: str) -> None:
    stage.function("app:price", "return {amount = a}")
    stage.workflow(
        "app:order",
        "local p = funcs.call('app:price', a) local go = process.listen('go'):receive() return {p.amount, go}",
    )
    await start(cli, stage, name, "app:order", 5)
    await stage.waits_for(f"{{app:client@app:worker|{name}}}", "topic", "go")
    events = (await stage.history(f"{{app:client@app:worker|{name}}}")).events
    last = max(e.event_id for e in events if e.HasField("workflow_task_completed_event_attributes"))
    await cli("signal", "--workflow-id", name, "--name", "go", "--input", '"first"')
    assert await result(cli, name) == [5, "first"]
    await cli("reset", "--workflow-id", name, "--event-id", str(last), *RESET)
    await cli("signal", "--workflow-id", name, "--name", "go", "--input", '"second"')
    assert await result(cli, name) == [5, "second"]
    names = [e.WhichOneof("attributes") for e in (await stage.history(f"{{app:client@app:worker|{name}}}")).events]
    assert names.count("activity_task_scheduled_event_attributes") == 1
