from __future__ import annotations

from tests.engine.hosts.actor.support import lab, process

OLD = process(
    "app:old",
    """
    process.registry.register("desk")
    local go = process.listen("go")
    funcs.async("app:nobody")
    go:receive()
    process.upgrade("app:new", "carried")
    """,
)
NEW = process(
    "app:new",
    """
    local carried, inbox, seen = ..., process.inbox(), {}
    while true do
      local msg = inbox:receive()
      if msg:topic() == "end" then return { carried, seen, process.id(), process.pid() } end
      seen[#seen + 1] = msg:topic()
    end
    """,
)


async def test_an_upgraded_process_keeps_pid_name_monitors_and_unread_messages() -> None:
    async with lab(OLD, NEW) as it:
        pid, (carried, seen, entry, new_pid) = await it.run(
            """
            local pid = process.spawn_monitored("app:old", "app:procs")
            process.send(pid, "one")
            process.send(pid, "two")
            process.send(pid, "go")
            time.sleep("30ms")
            process.send("desk", "three")
            process.send(pid, "end")
            return { pid, process.events():receive().result.value }
            """
        )
        assert (carried, seen, entry, new_pid) == ("carried", ["one", "two", "three"], "app:new", pid)


async def test_upgrading_to_itself_takes_the_current_version() -> None:
    async with lab(process("app:it", "process.inbox():receive() process.upgrade(nil)")) as it:
        pid = await it.spawn("app:it", name="it")
        it.catalog.publish(process("app:it", "return 'new code'"))
        seen = await it.run(
            "process.monitor(...) process.send('it', 'go') return process.events():receive().result.value", pid
        )
        assert seen == "new code"


async def test_upgrading_to_what_is_not_there_fails_the_process() -> None:
    async with lab(process("app:lost", "process.upgrade('app:nowhere')")) as it:
        kind = await it.run("local _, err = process.exec('app:lost', 'app:procs') return err:kind()")
        assert kind == "NotFound"
