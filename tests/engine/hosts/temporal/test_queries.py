"""Queries of a run: where its coroutines stand, asked without any effect on it."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.worker import Replayer

from engine.hosts.temporal.worker.worker import replayer
from tests.engine.hosts.temporal.stage import Stage, workflow_id

ORDER = """
local rate = 2
coroutine.spawn(function() local beat = "slow" time.sleep("1h") end)
local function charge(order)
  local answer = funcs.call("app:none", order.id)
  return answer
end
local done = process.listen("go"):receive()
return charge(a) or done
"""


def handle(stage: Stage, pid: str) -> WorkflowHandle[Any, Any]:
    """That of the run of a pid."""
    return stage.client.get_workflow_handle(workflow_id(pid))


async def test_a_run_tells_where_its_coroutines_stand_and_with_which_variables(stage: Stage) -> None:
    stage.workflow("app:order", ORDER)
    pid = await stage.spawn("app:order", {"id": 17})
    await stage.waits_for(pid, "topic", "go")
    told = await stage.host.query(pid, "stacks")
    assert (told["pid"], told["status"], told["entry"]) == (pid, "waiting", "app:order")
    assert told["program"] == stage.catalog.current("app:order").digest
    first, sleeper = told["coroutines"]
    assert (first["waits"][0]["kind"], first["waits"][0]["name"]) == ("topic", "go")
    assert first["waits"][0]["since"] <= told["at"]
    assert {each["name"]: each["value"] for each in first["frames"][0]["locals"]}["rate"] == 2
    assert sleeper["waits"][0]["deadline"] > told["at"]
    await stage.host.terminate(pid, "", "")


async def test_temporals_own_tools_show_the_stack_of_lua_and_the_names_of_the_queries(stage: Stage) -> None:
    stage.workflow("app:order", ORDER)
    pid = await stage.spawn("app:order", {"id": 17})
    await stage.waits_for(pid, "topic", "go")
    text = await handle(stage, pid).query("__stack_trace")
    assert "main: receive topic go\n  app:order:13: in function" in text
    metadata = await handle(stage, pid).query("__temporal_workflow_metadata")
    names = {each.name for each in metadata.definition.query_definitions}
    assert {"state", "stacks", "pid"} <= names
    assert (await handle(stage, pid).query("pid", "an argument that is not needed")) == pid
    await stage.host.terminate(pid, "", "")


async def test_a_query_leaves_no_trace_in_the_history_and_the_run_replays(stage: Stage) -> None:
    stage.workflow("app:order", "local t = {} " + ORDER.replace('"app:none", order.id', '"app:f", tostring(t)'))
    stage.function("app:f", "return a")
    pid = await stage.spawn("app:order", {"id": 17})
    await stage.waits_for(pid, "topic", "go")
    before = (await handle(stage, pid).fetch_history()).events
    for _ in range(5):
        await stage.host.query(pid, "stacks")
    assert len((await handle(stage, pid).fetch_history()).events) == len(before)
    await handle(stage, pid).signal("go")
    assert str((await stage.exit(pid)).value).startswith("table: 0x0000000001")
    replaying: Replayer = replayer(stage.settings)
    await replaying.replay_workflow(await handle(stage, pid).fetch_history())


async def test_a_run_without_a_place_in_a_cache_is_replayed_for_the_answer(stage: Stage) -> None:
    stage.workflow("app:order", ORDER)
    pid = await stage.spawn("app:order", {"id": 17})
    await stage.waits_for(pid, "topic", "go")
    await stage.rest()
    await stage.serve_again()
    told = await stage.host.query(pid, "stacks")
    assert [each["waits"][0]["kind"] for each in told["coroutines"]] == ["topic", "timer"]
    await stage.host.terminate(pid, "", "")


async def test_a_run_that_is_over_has_no_coroutines(stage: Stage) -> None:
    stage.workflow("app:quick", "return 1")
    pid = await stage.spawn("app:quick")
    await stage.exit(pid)
    told = await stage.host.query(pid, "stacks")
    assert (told["status"], told["coroutines"]) == ("returned", [])
