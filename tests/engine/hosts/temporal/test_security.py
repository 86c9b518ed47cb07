"""Whom workflows act for, on the wire and in replays."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from temporalio.worker import Replayer

from engine.contracts.host import CallRequest, SpawnRequest
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.temporal.node.client import NodeClient
from engine.hosts.temporal.wire import headers, payloads
from engine.hosts.temporal.wire.requests import Request
from engine.hosts.temporal.worker.worker import replayer, workflow_worker
from engine.security.context import Actor, Policy, Security
from engine.steps import Value
from tests.engine.hosts.temporal.stage import Stage

WHO = """
return { main = function()
  local actor = security.actor()
  return { id = actor and actor:id(), role = actor and actor:meta().role, can = security.can("a", "b") }
end }
"""
ANN = Security(Actor("user:ann", {"role": "reader"}), (Policy("app:policy"),))
SEEN = {"id": "user:ann", "role": "reader", "can": True}


def policy(effect: str) -> Entry:
    body = {"actions": "*", "resources": "*", "effect": effect}
    return Entry("app:policy", "security.policy", {}, {"policy": body})


def publish(stage: Stage) -> None:
    for kind in ("function", "process"):
        data = {"source": WHO, "modules": ["security"]}
        stage.catalog.publish(Entry(f"app:who_{kind}", f"{kind}.lua", {}, data))
    stage.catalog.publish(policy("allow"))


async def test_the_header_holds_ids_not_policies_and_only_what_can_travel(stage: Stage) -> None:
    publish(stage)
    stage.workflow("app:w", "return funcs.call('app:who_function')")
    meta = {"role": "reader", "raw": b"\xff", "open": True}
    exited = await stage.run("app:w", security=replace(ANN, actor=Actor("user:ann", meta)))
    assert exited.value == SEEN
    history = await stage.history(exited.pid)
    carried = [_header(event) for event in history.events]
    wanted = {"actor": {"id": "user:ann", "meta": {"role": "reader", "open": True}}, "scope": ["app:policy"]}
    assert [each for each in carried if each] == [wanted, wanted]  # the start, the activity


async def test_a_run_keeps_the_policies_that_it_began_with_also_in_a_replay(stage: Stage) -> None:
    publish(stage)
    code = """
    local first = funcs.call('app:who_function') ~= nil
    process.listen('go'):receive()
    local second, err = funcs.call('app:who_function')
    return { first, err == nil, second.can }
    """
    stage.workflow("app:w", code)
    pid = await stage.spawn("app:w", security=ANN)
    await stage.waits_for(pid, "topic", "go")
    stage.catalog.publish(policy("deny"))
    await stage.host.send(pid, "go", (1,), "")
    exited = await stage.exit(pid)
    # The run may still call; the function, which starts now, is denied what it asks.
    assert exited.value == [True, True, False]
    result = await replayer(stage.settings).replay_workflow(await stage.history(pid))
    assert result.replay_failure is None


async def test_an_option_leads_past_no_policy_and_into_no_activity_of_the_engine(stage: Stage) -> None:
    body = {"actions": ["funcs.call", "process.*"], "resources": ["app:ok", "app:worker", "context"], "effect": "allow"}
    stage.catalog.publish(Entry("app:policy", "security.policy", {}, {"policy": body}))
    stage.function("app:ok", "return 'ok'")
    stage.function("app:secret", "return 'secret'")
    stage.workflow("app:hidden", "return 'hidden'")
    stage.process("app:victim", "process.inbox():receive()")
    host = stage.node.host("app:processes")
    assert host is not None
    victim = await host.spawn(SpawnRequest("app:victim", "app:processes"))
    stage.workflow(
        "app:w",
        """
        local function call(options)
          return select(2, funcs.new():with_options(options):call("app:ok", { dest = a }))
        end
        return {
          call { ["activity.name"] = "app:secret" }:kind(),
          call { activity = { name = "app:secret" } }:kind(),
          call { ["temporal.activity.name"] = "wippy.terminate" }:kind(),
          call { ["activity.name"] = "wippy.call", ["activity.task_queue"] = "wippy-fleet" }:kind(),
          select(2, process.with_options { ["workflow.name"] = "app:hidden" }:exec("app:ok", "app:worker")):kind(),
        }
        """,
    )
    allowed = replace(ANN, actor=Actor("user:ann"))
    assert (await stage.run("app:w", victim, security=allowed)).value == [
        "PermissionDenied", "PermissionDenied", "Invalid", "Invalid", "PermissionDenied",
    ]  # fmt: skip
    assert stage.node.describe(victim) is not None


async def test_a_run_without_context_stays_without(stage: Stage) -> None:
    publish(stage)
    stage.workflow("app:w", "return funcs.call('app:who_function')")
    exited = await stage.run("app:w")
    assert exited.value == {"can": False}
    assert not any(_header(event) for event in (await stage.history(exited.pid)).events)


async def test_a_local_activity_acts_for_the_same(stage: Stage) -> None:
    publish(stage)
    stage.workflow("app:w", "return funcs.new():with_options({['activity.local'] = true}):call('app:who_function')")
    assert (await stage.run("app:w", security=ANN)).value == SEEN


async def test_startup_messages_come_with_the_context(stage: Stage) -> None:
    publish(stage)
    stage.workflow(
        "app:w", "local m = process.inbox():receive() return { m:topic(), (funcs.call('app:who_function')) }"
    )
    exited = await stage.run("app:w", security=ANN, messages=(("hello", ()), ("again", ())))
    assert exited.value == ["hello", SEEN]


async def test_a_header_that_can_not_be_read_fails_the_run_rather_than_free_it(stage: Stage) -> None:
    publish(stage)
    stage.workflow("app:w", "return 'ran'")
    with headers.outgoing(headers.pack({headers.SECURITY: {"actor": "ann"}})):
        handle = await stage.client.start_workflow("app:w", id="forged", task_queue=stage.settings.task_queue)
    exited = await stage.exit(stage.settings.pid(handle.id))
    assert exited.failure is not None
    assert (exited.failure.kind, exited.failure.retryable) == ("PermissionDenied", False)


async def test_a_strict_worker_denies_runs_without_context_and_their_replays(stage: Stage) -> None:
    publish(stage)
    await stage.rest()
    stage.settings = replace(stage.settings, strict=True)
    stage.host.settings = stage.settings
    await stage.serve(workflow_worker(stage.client, stage.node, stage.settings))
    stage.workflow("app:w", "local _, err = funcs.call('app:who_function') return err and err:message()")
    denied = await stage.run("app:w")
    assert denied.value == "not allowed: app:who_function"
    assert (await stage.run("app:w", security=ANN)).value is None
    # Started by a client that knows nothing of the setting: the worker's own rule is recorded.
    handle = await stage.client.start_workflow("app:w", id="foreign", task_queue=stage.settings.task_queue)
    foreign = await stage.exit(stage.settings.pid(handle.id))
    assert foreign.value == "not allowed: app:who_function"
    lenient: Replayer = replayer(replace(stage.settings, strict=False))
    for exited in (denied, foreign):
        assert (await lenient.replay_workflow(await stage.history(exited.pid))).replay_failure is None


async def test_the_fleet_carries_the_context(stage: Stage) -> None:
    publish(stage)
    await stage.serve_fleet()
    nodes = NodeClient(stage.client)
    node = stage.node.id
    assert await nodes.call(CallRequest("app:who_function", security=ANN), node) == SEEN
    assert await nodes.call(CallRequest("app:who_function"), node) == {"can": False}
    _, value = await nodes.run(SpawnRequest("app:who_process", "app:processes", security=ANN), node)
    assert value == SEEN


async def test_a_process_that_a_workflow_s_activity_spawns_acts_for_the_same(stage: Stage) -> None:
    publish(stage)
    stage.function("app:spawns", "return process.exec('app:who_process', 'app:processes')")
    stage.workflow("app:w", "return funcs.call('app:spawns')")
    assert (await stage.run("app:w", security=ANN)).value == SEEN


@dataclass(frozen=True, slots=True)
class ForeignCall(Request[Value]):
    """A call as somebody else may write it."""

    name = "wippy.call"
    security: Any

    def write(self) -> dict[str, Any]:
        return {"target": "app:who_function", "security": self.security}


@pytest.mark.parametrize("security", [{"actor": {}}, {"scope": [1]}, "x"])
async def test_a_request_with_a_bad_context_is_refused(stage: Stage, security: Any) -> None:
    publish(stage)
    await stage.serve_fleet()
    with pytest.raises(UnitFailed, match="security"):
        await NodeClient(stage.client).ask(ForeignCall(security), stage.node.id)


def _header(event: Any) -> Any:
    for name in ("workflow_execution_started_event_attributes", "activity_task_scheduled_event_attributes"):
        if event.HasField(name):
            fields = getattr(event, name).header.fields
            return json.loads(fields[headers.SECURITY].data) if headers.SECURITY in fields else None
    return None


def test_values_of_the_header_are_json() -> None:
    assert payloads.decode(headers.pack({headers.SECURITY: headers.carried(ANN)})[headers.SECURITY]) == ANN.to_json()
