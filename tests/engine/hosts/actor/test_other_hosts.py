"""What units do with hosts of other kinds: a host in memory stands for any that implements the contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from engine.contracts.host import SpawnRequest, Watcher
from engine.errors import Failure, UnitFailed, not_found
from engine.steps import Exited, Value
from tests.engine.hosts.actor.support import Lab, lab

FLOWS = "app:worker"


class FlowHost:
    """Units that live until the test ends them; writes down what it is asked."""

    def __init__(self) -> None:
        self.id = FLOWS
        self.log: list[tuple[Any, ...]] = []
        self.watchers: dict[tuple[str, str], Watcher] = {}
        self.delay = 0.0
        self.unwatched = 0

    async def spawn(self, request: SpawnRequest) -> str:
        await asyncio.sleep(self.delay)
        if request.entry == "app:refused":
            raise UnitFailed(Failure("AlreadyExists", "taken"))
        pid = f"{{app:client@{FLOWS}|{request.name or 'flow-1'}}}"
        self.log.append(("spawn", request.entry, request.args, request.parent))
        return pid

    async def send(self, pid: str, topic: str, payloads: tuple[Value, ...], sender: str) -> None:
        # The first message takes longest: only the order of the lanes keeps it first.
        await asyncio.sleep(0.02 if not any(item[0] == "send" for item in self.log) else 0)
        if "gone" in pid:
            raise UnitFailed(not_found("workflow not found"))
        self.log.append(("send", topic, payloads))

    async def cancel(self, pid: str, reason: str, sender: str) -> None:
        self.log.append(("cancel", pid, reason))

    async def terminate(self, pid: str, reason: str, sender: str) -> None:
        self.log.append(("terminate", pid))

    async def watch(self, pid: str, token: str, watcher: Watcher) -> None:
        if "gone" in pid:
            raise UnitFailed(not_found("pid not registered"))
        self.watchers[pid, token] = watcher

    async def unwatch(self, pid: str, token: str) -> None:
        self.watchers.pop((pid, token), None)
        self.unwatched += 1

    def end(self, value: Value = None, failure: Failure | None = None) -> None:
        """End the one unit that is watched."""
        for (pid, _), watcher in self.watchers.copy().items():
            watcher(Exited(pid, 1, value, failure))


Scenario = Callable[[str], Coroutine[Any, Any, tuple[FlowHost, Any]]]
DRAIN = """
    local function drain(wanted)
      local seen, events, deadline = {}, process.events(), wanted == 0 and time.after("60ms") or nil
      while true do
        local got = channel.select { events:case_receive(), deadline and deadline:case_receive() }
        if got.channel == deadline then return seen end
        local result = got.value.result
        seen[#seen + 1] = { got.value.type, result.error and result.error:message() or result.value }
        deadline = time.after("60ms")
      end
    end
"""


async def ended(it: Lab, flows: FlowHost, body: str, **outcome: Any) -> Any:
    """Run the body, end the flow as soon as it is watched, and return what the body returns."""
    it.node.add_host(flows)
    running = asyncio.create_task(it.run(DRAIN + body))
    await it.until(lambda: bool(flows.watchers) or running.done())
    flows.end(**outcome)
    return await running


async def test_a_plainly_spawned_workflow_is_watched_weakly() -> None:
    async with lab() as it:
        flows = FlowHost()
        body = f"assert(process.spawn('app:flow', '{FLOWS}', 1)) return drain()"
        assert await ended(it, flows, body, value="done") == [["EXIT", "done"]]
        assert flows.log[0][:3] == ("spawn", "app:flow", (1,))


async def test_monitor_after_a_plain_spawn_does_not_double_the_exit() -> None:
    async with lab() as it:
        body = f"local pid = process.spawn('app:flow', '{FLOWS}') return {{ process.monitor(pid), drain() }}"
        assert await ended(it, FlowHost(), body, value=1) == [True, [["EXIT", 1]]]


async def test_unmonitor_silences_the_weak_watch() -> None:
    async with lab() as it:
        flows = FlowHost()
        it.node.add_host(flows)
        body = f"local pid = process.spawn('app:flow', '{FLOWS}') assert(process.unmonitor(pid)) return drain(0)"
        running = asyncio.create_task(it.run(DRAIN + body))
        await it.until(lambda: flows.unwatched > 0)
        assert flows.watchers == {}
        flows.end(value=1)
        assert await running == []


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"value": 5}, [["EXIT", 5]]),
        ({"failure": Failure("Canceled", "workflow terminated")}, [["LINK_DOWN", "workflow terminated"]]),
    ],
)
async def test_a_linked_workflow_sends_exit_when_well_and_link_down_when_not(
    outcome: dict[str, Any], expected: list[Any]
) -> None:
    async with lab() as it:
        body = f"process.set_options {{ trap_links = true }} process.spawn_linked('app:flow', '{FLOWS}') return drain()"
        assert await ended(it, FlowHost(), body, **outcome) == expected


async def test_exec_of_a_workflow_returns_its_result() -> None:
    async with lab() as it:
        assert await ended(it, FlowHost(), f"return process.exec('app:flow', '{FLOWS}')", value={"a": 1}) == {"a": 1}


async def test_an_exec_that_nobody_waits_for_any_more_cancels_the_workflow() -> None:
    async with lab() as it:
        flows = FlowHost()
        it.node.add_host(flows)
        body = f"process.registry.register('boss') coroutine.spawn(function() process.exec('app:flow', '{FLOWS}') end) "
        running = asyncio.create_task(it.run(body + "process.listen('enough'):receive() return 1"))
        await it.until(lambda: bool(flows.watchers))
        it.node.send("boss", "enough")
        assert await running == 1
        await it.until(lambda: any(item[0] == "cancel" for item in flows.log))
        await it.until(lambda: not flows.watchers)


async def test_messages_to_a_workflow_keep_their_order_however_long_each_takes() -> None:
    async with lab() as it:
        flows = FlowHost()
        it.node.add_host(flows)
        pid = f"{{app:client@{FLOWS}|order-1}}"
        body = f"""
            local sent = channel.new(20)
            for i = 1, 20 do
                coroutine.spawn(function() process.send('{pid}', 'm', i) sent:send(true) end)
            end
            for i = 1, 20 do sent:receive() end
        """
        await it.run(body)
        assert flows.log == [("send", "m", (n,)) for n in range(1, 21)]


async def test_the_failure_of_another_host_is_the_failure_of_the_command() -> None:
    async with lab() as it:
        it.node.add_host(FlowHost())
        gone = f"{{app:client@{FLOWS}|gone}}"
        answers = await it.run(
            f"""
            local _, spawn = process.spawn("app:refused", "{FLOWS}")
            local _, send = process.send("{gone}", "m")
            local _, monitor = process.monitor("{gone}")
            return {{ spawn:kind(), send:kind(), monitor:kind() }}
            """
        )
        assert answers == ["AlreadyExists", "NotFound", "NotFound"]


async def test_an_exit_reported_from_another_thread_arrives() -> None:
    async with lab() as it:
        flows = FlowHost()
        it.node.add_host(flows)
        running = asyncio.create_task(it.run(DRAIN + f"process.spawn('app:flow', '{FLOWS}') return drain()"))
        await it.until(lambda: bool(flows.watchers))
        thread = threading.Thread(target=flows.end, kwargs={"value": "from a thread"})
        thread.start()
        thread.join()
        assert await running == [["EXIT", "from a thread"]]


async def test_the_watches_of_an_ended_process_are_dropped() -> None:
    async with lab() as it:
        flows = FlowHost()
        it.node.add_host(flows)
        await it.run(f"process.spawn('app:flow', '{FLOWS}') time.sleep('20ms')")
        await it.until(lambda: not flows.watchers)
