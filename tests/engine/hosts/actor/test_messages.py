from __future__ import annotations

import asyncio
import threading

import pytest

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.steps import Limits
from tests.engine.hosts.actor.support import lab, lua, process

# Collects messages until it is asked, then sends all of them to the asker.
COLLECTOR = process(
    "app:collector",
    """
    local inbox, seen = process.inbox(), {}
    while true do
      local msg = inbox:receive()
      if msg:topic() == "ask" then process.send(msg:from(), "all", seen) return #seen end
      seen[#seen + 1] = { msg:topic(), msg:payload() and (msg:payload():data()), msg:from() }
    end
    """,
)
ASK = "local ch = process.listen('all') process.send(..., 'ask') return (ch:receive())"
SENDER = lua("app:sender", "local dest, n = ... for i = 1, n do process.send(dest, 'm', i) end")
SLEEPER = process("app:sleeper", "time.sleep('1h')")


async def test_messages_of_one_sender_arrive_in_order_among_many_senders() -> None:
    async with lab(COLLECTOR, SENDER) as it:
        pid = await it.spawn("app:collector")
        await asyncio.gather(*(it.call("app:sender", pid, 50) for _ in range(10)))
        by_sender: dict[str, list[int]] = {}
        for _, number, sender in await it.run(ASK, pid):
            by_sender.setdefault(sender, []).append(number)
        assert list(by_sender.values()) == [list(range(1, 51))] * 10


async def test_a_message_reaches_a_registered_name() -> None:
    async with lab(COLLECTOR) as it:
        pid = await it.spawn("app:collector", name="box")
        await it.run("return process.send('box', 'hello', { a = 1 })")
        assert [item[:2] for item in await it.run(ASK, pid)] == [["hello", {"a": 1}]]


@pytest.mark.parametrize("verb", ["send", "cancel", "terminate", "monitor", "link", "unmonitor"])
async def test_what_is_neither_pid_nor_name_can_not_be_resolved(verb: str) -> None:
    async with lab() as it:
        kind, message, retryable = await it.run(
            f"local ok, err = process.{verb}('nobody', 'x') return {{ err:kind(), err:message(), err:retryable() }}"
        )
        assert (kind, retryable) == ("NotFound", False)
        assert message == "could not resolve 'nobody' as PID or registered name"


async def test_a_message_to_an_ended_process_is_not_found() -> None:
    async with lab(process("app:brief", "return 1")) as it:
        pid = await it.spawn("app:brief")
        await it.until(lambda: not it.node.processes())
        kind, message = await it.run("local ok, e = process.send(..., 't') return { e:kind(), e:message() }", pid)
        assert kind == "NotFound"
        assert "not found" in message


async def test_startup_messages_come_first_and_carry_the_spawner() -> None:
    async with lab(COLLECTOR) as it:
        seen, me = await it.run(
            """
            local all = process.listen("all")
            local spawner = process.with_options({}):with_message("a", 1):with_message("b", 2)
            local pid = spawner:spawn("app:collector", "app:procs")
            process.send(pid, "c", 3)
            process.send(pid, "ask")
            return { all:receive(), process.pid() }
            """
        )
        assert seen == [["a", 1, me], ["b", 2, me], ["c", 3, me]]


async def test_a_taken_name_gives_the_live_process_and_delivers_the_startup_messages_to_it() -> None:
    async with lab(COLLECTOR) as it:
        pid = await it.spawn("app:collector", name="only")
        again = await it.run(
            "local spawner = process.with_options({}):with_name('only'):with_message('late', 7) "
            "return spawner:spawn('app:collector', 'app:procs')"
        )
        assert again == pid
        assert await it.run(ASK, pid) == [["late", 7, ""]]


async def test_a_full_mailbox_fails_the_sender_and_spares_the_receiver() -> None:
    async with lab(SLEEPER, limits=Limits(max_queue=100)) as it:
        pid = await it.spawn("app:sleeper")
        sent, kind, message = await it.run(
            """
            local pid = ...
            for i = 1, 1000 do
              local ok, err = process.send(pid, "m", i)
              if not ok then return { i - 1, err:kind(), err:message() } end
            end
            """,
            pid,
        )
        assert 100 <= sent <= 100 + 64
        assert kind == "LimitExceeded"
        assert "is full" in message
        assert [p.pid for p in it.node.processes()] == [pid]


async def test_the_queue_size_of_the_host_bounds_its_mailboxes() -> None:
    host = Entry("app:small", "process.host", {}, {"host": {"queue_size": 5, "max_processes": 1}})
    async with lab(host, SLEEPER) as it:
        errors = await it.run(
            """
            local pid = process.spawn("app:sleeper", "app:small")
            local _, full = process.spawn("app:sleeper", "app:small")
            time.sleep("20ms")
            local kind
            for i = 1, 200 do local ok, err = process.send(pid, "m") kind = err and err:kind() or kind end
            return { full:kind(), full:retryable(), kind }
            """
        )
        assert errors == ["LimitExceeded", False, "LimitExceeded"]


async def test_any_thread_may_send_through_the_node() -> None:
    async with lab(COLLECTOR) as it:
        pid = await it.spawn("app:collector", name="box")

        def send_all(sender: str) -> None:
            for number in range(100):
                it.node.send("box", "m", number, sender=sender)

        threads = [threading.Thread(target=send_all, args=(f"s{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        seen = await it.run(ASK, pid)
        assert [number for _, number, sender in seen if sender == "s2"] == list(range(100))
        with pytest.raises(UnitFailed, match="could not resolve"):
            it.node.send("nobody", "m")


async def test_spawning_what_is_not_there_says_so() -> None:
    async with lab(SLEEPER, lua("app:f", "")) as it:
        spawn = "local pid, err = process.spawn(...) return { pid == nil, err:kind(), err:message() }"
        assert (await it.run(spawn, "app:sleeper", "app:nowhere")) == [True, "NotFound", "host not found"]
        assert (await it.run(spawn, "app:nothing", "app:procs"))[1] == "NotFound"
        assert (await it.run(spawn, "app:f", "app:procs"))[1] == "Invalid"


async def test_messages_to_one_process_stay_in_order_however_they_are_sent() -> None:
    body = """
        process.registry.register('counter')
        local pid, got = process.spawn('app:teller', 'app:procs', process.pid()), {}
        for i = 1, 300 do got[i] = process.inbox():receive():payload():data() end
        return got
    """
    teller = process(
        "app:teller",
        """
        local pid = ...
        coroutine.spawn(function() for i = 1, 5 do time.sleep('1ms') process.monitor(process.pid()) end end)
        for i = 1, 300 do
            process.send(i % 3 == 0 and 'counter' or pid, 'n', i)
            if i % 50 == 0 then time.sleep('1ms') end
        end
        """,
    )
    async with lab(teller) as it:
        assert await it.run(body) == list(range(1, 301))


async def test_a_message_to_a_process_that_was_ended_in_the_same_step_is_not_found() -> None:
    body = """
        local pid = process.spawn('app:echo', 'app:procs')
        assert(process.send(pid, 'x'))
        process.terminate(pid)
        local ok, err = process.send(pid, 'x')
        return {ok == nil, err:kind()}
    """
    async with lab(process("app:echo", "process.events():receive()")) as it:
        assert await it.run(body) == [True, "NotFound"]


async def test_nobody_fills_the_memory_of_a_process_that_receives_nothing() -> None:
    deaf = process("app:deaf", "process.listen('never') process.events():receive() return 'alive'")
    body = """
        local pid, text, sent = ..., ("x"):rep(1000000), 0
        for _ = 1, 300 do
            local ok, err = process.send(pid, "never", text)
            if not ok then return { sent, err:kind(), err:retryable() } end
            sent = sent + 1
            time.sleep("1ms")
        end
        return { sent }
    """
    async with lab(deaf) as it:
        pid = await it.spawn("app:deaf")
        assert await it.run(body, pid) == [33, "LimitExceeded", True]
        assert [each.entry for each in it.node.processes()] == ["app:deaf"]
