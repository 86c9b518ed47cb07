"""Two nodes as one fleet, over a real Temporal server: a pid reaches its process on whichever node it lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from engine.contracts.host import CallRequest, SpawnRequest
from engine.contracts.operations import ProcessInfo
from engine.errors import Failure, UnitFailed
from engine.hosts.temporal.node import peers
from engine.memory.fleet import MemoryFleet
from engine.steps import Exited, Value
from tests.engine.hosts.temporal.stage import Stage, until
from tests.patience import PATIENCE

PROCESSES = "app:processes"
# The EXITs and LINK_DOWNs that come within a while; the second one would be one too many.
EVENTS = """
    local function events(seconds)
      local seen, deadline = {}, time.after(seconds or "5s")
      while true do
        local got = channel.select { process.events():case_receive(), deadline:case_receive() }
        if got.channel == deadline then return seen end
        local error = got.value.result.error
        seen[#seen + 1] = { got.value.type, got.value.from, error and error:message() or got.value.result.value }
        deadline = time.after("300ms")
      end
    end
"""
ECHO = """
    for m in process.inbox():iter() do
      if m:topic() == "fail" then error(errors.new { message = "broken", kind = "Conflict" }) end
      if m:topic() == "return" then return m:payload():data() end
      process.send(m:from(), "echo", m:payload():data())
    end
"""


@dataclass
class Pair:
    """Two nodes that know the same entries."""

    here: Stage
    there: Stage

    def process(self, entry_id: str, code: str) -> None:
        """Publish a process on both."""
        self.here.process(entry_id, code)
        self.there.process(entry_id, code)

    async def spawn(self, node: Stage, entry_id: str, *args: Value) -> str:
        """Start a process on one of them."""
        host = node.node.host(PROCESSES)
        assert host is not None
        return await host.spawn(SpawnRequest(entry_id, PROCESSES, args))

    async def run(self, node: Stage, code: str, *args: Value) -> Any:
        """The value of a function that runs on one of them."""
        node.function("app:body", EVENTS + code)
        return await asyncio.wait_for(node.node.call(CallRequest("app:body", args)), PATIENCE)

    def find(self, node: Stage, pid: str) -> ProcessInfo | None:
        """The process, if it runs there."""
        return next((info for info in node.node.processes() if info.pid == pid), None)

    async def gone(self, node: Stage, pid: str) -> None:
        """Wait until the process has ended."""

        async def ended() -> bool:
            return self.find(node, pid) is None

        await until(ended)


@pytest.fixture
async def pair(temporal_address: str) -> AsyncIterator[Pair]:
    fleet = MemoryFleet()
    stages = [await Stage.open(temporal_address, serve=False, fleet=fleet) for _ in range(2)]
    for stage in stages:
        await stage.serve_fleet()
    try:
        yield Pair(*stages)
    finally:
        for stage in stages:
            await asyncio.wait_for(stage.close(), PATIENCE)


async def test_a_pid_names_its_node_and_reaches_its_process_from_another(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    pid = await pair.spawn(pair.there, "app:echo")
    assert pid.startswith(f"{{{pair.there.node.id}@app:processes|")
    code = """
        local echoes, got = process.listen("echo"), {}
        for i = 1, 3 do
          assert(process.send(a, "m", { n = i }))
          got[i] = echoes:receive().n
        end
        return got
    """
    assert await pair.run(pair.here, code, pid) == [1, 2, 3]


async def test_messages_of_one_sender_keep_their_order(pair: Pair) -> None:
    pair.process(
        "app:collect",
        "local got = {} for i = 1, 20 do got[i] = process.inbox():receive():payload():data() end return got",
    )
    pid = await pair.spawn(pair.there, "app:collect")
    code = """
        process.monitor(a)
        for i = 1, 20 do coroutine.spawn(function() assert(process.send(a, "m", i)) end) end
        return events("20s")[1][3]
    """
    assert await pair.run(pair.here, code, pid) == list(range(1, 21))


async def test_a_process_that_is_gone_is_not_found_from_another_node(pair: Pair) -> None:
    pair.process("app:short", "return 1")
    pid = await pair.spawn(pair.there, "app:short")
    await pair.gone(pair.there, pid)
    code = """
        local kinds = {}
        for i, ask in ipairs { function() return process.send(a, "m") end, function() return process.cancel(a) end,
            function() return process.terminate(a) end, function() return process.monitor(a) end,
            function() return process.link(a) end } do
          local ok, err = ask()
          kinds[i] = tostring(ok) .. err:kind()
        end
        return kinds
    """
    assert await pair.run(pair.here, code, pid) == ["nilNotFound"] * 5


@pytest.mark.parametrize(("topic", "exit"), [("return", ["EXIT", "well"]), ("fail", ["EXIT", "broken"])])
async def test_a_monitor_on_another_node_hears_exit_once(pair: Pair, topic: str, exit: list[str]) -> None:
    pair.process("app:echo", ECHO)
    pid = await pair.spawn(pair.there, "app:echo")
    code = """
        assert(process.monitor(a))
        local _, again = process.monitor(a)
        assert(again:kind() == "AlreadyExists")
        process.send(a, b, "well")
        return events()
    """
    assert await pair.run(pair.here, code, pid, topic) == [[exit[0], pid, exit[1]]]


async def test_terminate_and_cancel_reach_another_node(pair: Pair) -> None:
    pair.process("app:deaf", "process.inbox():receive()")
    pair.process("app:polite", "return process.events():receive().reason")
    deaf, polite = await pair.spawn(pair.there, "app:deaf"), await pair.spawn(pair.there, "app:polite")
    code = """
        process.monitor(a)
        process.monitor(b)
        process.terminate(a)
        process.cancel(b, "enough")
        local seen = events()
        return { [seen[1][2]] = seen[1][3], [seen[2][2]] = seen[2][3] }
    """
    assert await pair.run(pair.here, code, deaf, polite) == {deaf: "process terminated", polite: "enough"}


async def test_unmonitor_and_the_end_of_a_watcher_leave_no_watch_on_the_other_node(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    pid = await pair.spawn(pair.there, "app:echo")
    silent = "process.monitor(a) process.unmonitor(a) process.send(a, 'return', 1) return events('500ms')"
    assert await pair.run(pair.here, silent, pid) == []
    other = await pair.spawn(pair.there, "app:echo")
    await pair.run(pair.here, "return process.monitor(a)", other)

    async def forgotten() -> bool:
        return not any(pair.there.peers._watched.values())

    await until(forgotten)
    assert pair.find(pair.there, other)


async def test_a_link_holds_on_both_nodes(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    pair.process("app:linker", "assert(process.link(a)) process.send(b, 'linked') process.inbox():receive() error('x')")
    code = """
        local linked = process.listen("linked")
        local child = process.spawn("app:linker", "app:processes", a, process.pid())
        linked:receive()
        process.monitor(child)
        process.send(b and a or child, "fail")
        return events()
    """
    for kill_the_far_one in (True, False):
        pid = await pair.spawn(pair.there, "app:echo")
        [[kind, _, message]] = await pair.run(pair.here, code, pid, kill_the_far_one)
        assert kind == "EXIT"
        assert ("linked process failed" in message) is kill_the_far_one
        await pair.gone(pair.there, pid)


async def test_a_linked_peer_that_traps_gets_link_down_and_a_normal_end_says_nothing(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    failing, well = await pair.spawn(pair.there, "app:echo"), await pair.spawn(pair.there, "app:echo")
    code = """
        process.set_options { trap_links = true }
        assert(process.link(a) and process.link(a) and process.link(b))
        process.send(b, "return", 1)
        process.send(a, "fail")
        return events()
    """
    assert await pair.run(pair.here, code, failing, well) == [["LINK_DOWN", failing, "broken"]]


async def test_unlinked_processes_of_two_nodes_die_alone(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    pid = await pair.spawn(pair.there, "app:echo")
    with pytest.raises(UnitFailed, match="on purpose"):
        await pair.run(pair.here, "process.link(a) process.unlink(a) error('on purpose')", pid)
    assert await pair.run(pair.here, "process.send(a, 'm', 5) return process.listen('echo'):receive()", pid) == 5


async def test_a_lost_node_ends_what_was_watched_there_and_sends_to_it_fail_at_once(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    watched, linked = await pair.spawn(pair.there, "app:echo"), await pair.spawn(pair.there, "app:echo")
    seen: list[Exited] = []
    host = pair.here.node.host_of(watched)
    assert host is not None
    await host.watch(watched, "test", seen.append)
    code = """
        process.set_options { trap_links = true }
        process.monitor(a)
        process.link(b)
        process.spawn("app:echo", "app:processes")
        return events()
    """
    watching = asyncio.create_task(pair.run(pair.here, code, watched, linked))

    async def both_watched() -> bool:
        return sum(len(keys) for keys in pair.there.peers._watched.values()) == 3

    await until(both_watched)
    await pair.there.rest()
    pair.here.fleet.remove(pair.there.node.id)
    lost = f"node '{pair.there.node.id}' is lost"
    assert sorted(await watching) == sorted([["EXIT", watched, lost], ["LINK_DOWN", linked, lost]])
    assert [replace(each, at=0) for each in seen] == [
        Exited(watched, 0, None, Failure("Unavailable", lost, retryable=True))
    ]
    assert await pair.run(pair.here, "return select(2, process.send(a, 'm')):message()", watched) == (
        f"process {watched} not found: node '{pair.there.node.id}' is gone"
    )


async def test_a_question_to_a_node_that_dies_meanwhile_is_answered(pair: Pair) -> None:
    await pair.there.rest()
    pid = f"{{{pair.there.node.id}@app:processes|0x1}}"
    asking = asyncio.create_task(pair.run(pair.here, "return select(2, process.send(a, 'm')):kind()", pid))

    async def asked() -> bool:
        return bool(pair.here.peers._asking)

    await until(asked)
    pair.here.fleet.remove(pair.there.node.id)
    assert await asking == "NotFound"


async def test_what_a_lost_node_watched_is_forgotten(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    pid = await pair.spawn(pair.there, "app:echo")
    host = pair.here.node.host_of(pid)
    assert host is not None
    await host.watch(pid, "test", lambda exited: None)
    pair.there.fleet.remove(pair.here.node.id)
    assert pair.there.peers._watched == {}
    assert pair.find(pair.there, pid)


async def come_back(pair: Pair) -> None:
    """The node `here` is taken for dead by the others, and beats again."""
    pair.here.fleet.remove(pair.here.node.id)
    assert pair.there.peers._watched == {}
    pair.here.fleet.add(pair.here.node.id)


async def test_a_node_that_was_taken_for_dead_still_hears_of_what_it_watches(pair: Pair) -> None:
    pair.process("app:echo", ECHO)
    pid = await pair.spawn(pair.there, "app:echo")
    watching = asyncio.create_task(pair.run(pair.here, "process.monitor(a) return events('20s')", pid))

    async def watched() -> bool:
        return any(pair.there.peers._watched.values())

    await until(watched)
    await come_back(pair)
    pair.here.peers.forgotten()
    await until(watched)
    pair.there.node.send(pid, "return", "well")
    assert await watching == [["EXIT", pid, "well"]]


async def test_what_ended_while_its_watcher_was_taken_for_dead_is_an_exit_of_its_own(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "LONGEST_PAUSE", 0.1)
    pair.process("app:echo", ECHO)
    pid = await pair.spawn(pair.there, "app:echo")
    seen: list[Exited] = []
    host = pair.here.node.host_of(pid)
    assert host is not None
    await host.watch(pid, "test", seen.append)
    await come_back(pair)
    pair.there.node.terminate(pid)
    await pair.gone(pair.there, pid)
    pair.here.peers.forgotten()

    async def heard() -> bool:
        return bool(seen)

    await until(heard)
    assert [(each.pid, each.failure and each.failure.kind) for each in seen] == [(pid, "Unavailable")]
    assert pair.here.peers._watchers == {}


async def test_a_node_that_stops_tells_how_its_processes_ended(pair: Pair) -> None:
    pair.process("app:polite", "return process.events():receive().reason")
    pid = await pair.spawn(pair.there, "app:polite")
    watching = asyncio.create_task(pair.run(pair.here, "process.monitor(a) return events('20s')", pid))

    async def watched() -> bool:
        return any(pair.there.peers._watched.values())

    await until(watched)
    await pair.there.close()
    assert await watching == [["EXIT", pid, "node stopping"]]


async def test_a_result_too_large_for_the_wire_is_an_exit_that_says_so(pair: Pair) -> None:
    pair.process("app:large", "process.inbox():receive() return string.rep('x', 5000000)")
    pid = await pair.spawn(pair.there, "app:large")
    [[kind, _, message]] = await pair.run(pair.here, "process.monitor(a) process.send(a, 'go') return events()", pid)
    assert kind == "EXIT"
    assert "too large" in message


HOLDER = """
    assert(process.registry.register("desk", nil, process.registry.STRONG))
    for m in process.inbox():iter() do
      if m:topic() == "end" then return "closed" end
      process.send(m:from(), "echo", m:payload():data())
    end
"""


async def named(pair: Pair, node: Stage) -> str:
    """A process there that holds the name `desk`."""
    pair.process("app:holder", HOLDER)
    pid = await pair.spawn(node, "app:holder")

    async def held() -> bool:
        return await pair.here.node.find("desk") == pid

    await until(held)
    return pid


async def test_a_name_of_the_fleet_is_held_once_and_reached_from_every_node(pair: Pair) -> None:
    pid = await named(pair, pair.there)
    code = """
        local found = process.registry.lookup("desk")
        local ok, err = process.registry.register("desk", nil, process.registry.EVENTUAL)
        assert(process.send("desk", "m", 5))
        local echo = process.listen("echo"):receive()
        assert(process.monitor("desk"))
        process.send("desk", "end")
        local seen = events()
        local gone, why = process.send("desk", "m")
        return { found, tostring(ok) .. err:kind(), echo, seen[1][3], tostring(gone) .. why:kind() }
    """
    assert await pair.run(pair.here, code) == [pid, "nilAlreadyExists", 5, "closed", "nilNotFound"]


async def test_the_holder_on_the_own_node_is_reached_by_its_name_of_the_fleet(pair: Pair) -> None:
    await named(pair, pair.here)
    code = """
        assert(process.send("desk", "m", 6))
        local echo = process.listen("echo"):receive()
        process.monitor("desk")
        process.cancel("desk")
        assert(process.terminate("desk"))
        return { echo, events()[1][3] }
    """
    assert await pair.run(pair.here, code) == [6, "process terminated"]


async def test_a_name_falls_with_its_process_and_with_its_node(pair: Pair) -> None:
    lookup = "local pid, err = process.registry.lookup('desk') return pid or err:message()"
    pid = await named(pair, pair.there)
    await pair.run(pair.here, "process.monitor(a) process.terminate(a) events()", pid)

    async def free() -> bool:
        return await pair.here.node.find("desk") is None

    await until(free)
    assert await pair.run(pair.here, lookup) == "name not registered"
    await named(pair, pair.there)
    pair.here.fleet.remove(pair.there.node.id)
    assert await pair.run(pair.here, lookup) == "name not registered"


async def test_local_names_are_of_one_node_and_come_first(pair: Pair) -> None:
    pid = await named(pair, pair.there)
    code = """
        assert(process.registry.register("desk") == true)
        local mine = process.registry.lookup("desk") == process.pid()
        assert(process.registry.unregister("desk"))
        local theirs = process.registry.lookup("desk")
        assert(process.registry.unregister("desk"))
        return { mine, theirs, process.registry.unregister("desk"), process.registry.register("x", nil, 7) == nil }
    """
    assert await pair.run(pair.here, code) == [True, pid, False, True]


async def test_a_workflow_reaches_a_name_of_the_fleet(pair: Pair) -> None:
    await named(pair, pair.there)
    await pair.here.serve_again()
    pair.here.workflow(
        "app:w", "assert(process.send('desk', 'm', 7)) return process.inbox():receive():payload():data()"
    )
    assert await pair.here.value("app:w") == 7
