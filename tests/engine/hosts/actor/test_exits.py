from __future__ import annotations

from engine.errors import Failure
from engine.hosts.actor.failures import TERMINATED
from engine.steps import Exited
from tests.engine.hosts.actor.support import lab, process

IDLE = process("app:idle", "process.inbox():receive()")
WORKER = process(
    "app:worker",
    """
    local msg = process.inbox():receive()
    if msg:topic() == "raise" then error("broken") end
    return (msg:payload():data())
    """,
)
# Takes as many events as must come, and what comes within 50 ms after them, as {type, what became of it}.
DRAIN = """
    local function drain(events, wanted)
      local seen, deadline = {}, nil
      while true do
        if #seen >= wanted and not deadline then deadline = time.after("50ms") end
        local got = channel.select { events:case_receive(), deadline and deadline:case_receive() }
        if got.channel == deadline then return seen end
        local e = got.value
        local failure = e.result and e.result.error
        seen[#seen + 1] = { e.type, e.from, failure and failure:message() or e.result and e.result.value or e.reason }
      end
    end
"""


async def test_a_monitor_gets_one_exit_with_the_value() -> None:
    async with lab(WORKER) as it:
        seen, pid = await it.run(
            DRAIN
            + """
            local pid = process.spawn_monitored("app:worker", "app:procs")
            process.send(pid, "finish", "well")
            return { drain(process.events(), 1), pid }
            """
        )
        assert seen == [["EXIT", pid, "well"]]


async def test_a_monitor_gets_one_exit_with_the_failure() -> None:
    async with lab(WORKER) as it:
        seen = await it.run(
            DRAIN
            + """
            local pid = process.spawn("app:worker", "app:procs")
            assert(process.monitor(pid))
            process.send(pid, "raise")
            return drain(process.events(), 1)
            """
        )
        assert [item[0] for item in seen] == ["EXIT"]
        assert "broken" in seen[0][2]


async def test_a_plain_spawn_of_a_process_is_not_watched() -> None:
    async with lab(WORKER) as it:
        body = "process.send(process.spawn('app:worker', 'app:procs'), 'finish', 1) return drain(process.events(), 0)"
        assert await it.run(DRAIN + body) == []


async def test_after_unmonitor_no_exit_comes() -> None:
    async with lab(WORKER) as it:
        seen = await it.run(
            DRAIN
            + """
            local pid = process.spawn_monitored("app:worker", "app:procs")
            assert(process.unmonitor(pid))
            process.send(pid, "finish", 1)
            return drain(process.events(), 0)
            """
        )
        assert seen == []


async def test_monitoring_twice_or_too_late_is_refused() -> None:
    async with lab(WORKER) as it:
        errors = await it.run(
            """
            local pid = process.spawn_monitored("app:worker", "app:procs")
            local _, twice = process.monitor(pid)
            process.send(pid, "finish")
            process.events():receive()
            local _, late = process.monitor(pid)
            return { twice:kind(), twice:message(), late:kind(), late:message() }
            """
        )
        assert errors == ["AlreadyExists", "already monitoring pid", "NotFound", "pid not registered"]


async def test_terminating_tells_monitors_and_breaks_links() -> None:
    async with lab(IDLE) as it:
        seen, pid = await it.run(
            DRAIN
            + """
            process.set_options { trap_links = true }
            local pid = process.spawn_linked_monitored("app:idle", "app:procs")
            assert(process.terminate(pid))
            return { drain(process.events(), 2), pid }
            """
        )
        assert seen == [["EXIT", pid, "process terminated"], ["LINK_DOWN", pid, "process terminated"]]


async def test_a_linked_failure_kills_those_who_do_not_trap_along_the_chain() -> None:
    chain = process(
        "app:chain",
        """
        local n = ...
        if n > 0 then process.spawn_linked("app:chain", "app:procs", n - 1) end
        process.inbox():receive()
        error("end of the chain")
        """,
    )
    bystander = process("app:bystander", "process.spawn('app:chain', 'app:procs', 3) process.inbox():receive()")
    async with lab(chain, bystander) as it:
        await it.spawn("app:bystander")
        await it.until(lambda: len(it.node.processes()) == 5)
        it.node.send(it.node.processes()[-1].pid, "go")
        await it.until(lambda: [p.entry for p in it.node.processes()] == ["app:bystander"])


async def test_a_dead_link_is_the_failure_of_who_does_not_trap() -> None:
    async with lab(IDLE) as it:
        parent = process(
            "app:parent", "process.terminate(process.spawn_linked('app:idle', 'app:procs')) time.sleep('1h')"
        )
        it.catalog.publish(parent)
        message = await it.run("local _, err = process.exec('app:parent', 'app:procs') return err:message()")
        assert message == "linked process failed"


async def test_a_linked_peer_that_ends_well_is_no_event_and_unlink_unties() -> None:
    async with lab(WORKER, IDLE) as it:
        seen = await it.run(
            DRAIN
            + """
            process.send(process.spawn_linked("app:worker", "app:procs"), "finish", 1)
            local idle = process.spawn_linked("app:idle", "app:procs")
            assert(process.link(idle))
            assert(process.unlink(idle))
            process.terminate(idle)
            return drain(process.events(), 0)
            """
        )
        assert seen == []


async def test_cancel_is_an_event_that_the_target_decides_about() -> None:
    polite = process("app:polite", "local e = process.events():receive() return { e.type, e.reason, e.pid }")
    async with lab(polite) as it:
        seen, me = await it.run(
            """
            local pid = process.spawn_monitored("app:polite", "app:procs")
            assert(process.cancel(pid, "closing"))
            return { process.events():receive().result.value, process.pid() }
            """
        )
        assert seen == ["CANCEL", "closing", me]


async def test_exec_returns_the_result_or_the_failure() -> None:
    job = process("app:job", "local n = ... if n < 0 then return nil, 'negative' end return n + 1")
    async with lab(job) as it:
        assert await it.run("return process.exec('app:job', 'app:procs', 1)") == 2
        body = "local v, err = process.exec('app:job', 'app:procs', -1) return { v == nil, err:kind(), err:message() }"
        assert await it.run(body) == [True, "Internal", "negative"]


async def test_cancelling_the_caller_of_exec_cancels_the_child() -> None:
    child = process("app:child", "local e = process.events():receive() return e.reason")
    parent = process("app:parent", "return process.exec('app:child', 'app:procs')")
    async with lab(child, parent) as it:
        result = await it.run(
            """
            local pid = process.spawn_monitored("app:parent", "app:procs")
            time.sleep("30ms")
            process.cancel(pid, "enough")
            return process.events():receive().result.value
            """
        )
        assert result == "enough"


async def test_a_process_may_terminate_itself() -> None:
    async with lab(process("app:suicide", "process.terminate(process.pid()) time.sleep('1h')")) as it:
        message = await it.run("local _, err = process.exec('app:suicide', 'app:procs') return err:message()")
        assert message == "process terminated"


async def test_the_nodes_watchers_hear_of_an_exit_once_on_the_loop() -> None:
    async with lab(IDLE) as it:
        heard: list[Exited] = []
        host = it.node.host("app:procs")
        assert host is not None
        pid, quiet = await it.spawn("app:idle"), await it.spawn("app:idle")
        await host.watch(pid, "me", heard.append)
        await host.watch(quiet, "me", heard.append)
        await host.unwatch(quiet, "me")
        await host.terminate(pid, "", "")
        await host.terminate(quiet, "", "")
        await it.until(lambda: bool(heard))
        assert [(exited.pid, exited.failure) for exited in heard] == [(pid, TERMINATED)]
        assert Failure("Canceled", "process terminated", retryable=False) == TERMINATED
