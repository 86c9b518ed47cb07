"""The cancel of an activity goes on to what its function waits for."""

from __future__ import annotations

from tests.engine.hosts.temporal.stage import Stage


async def test_a_cancelled_future_of_a_run_stops_what_its_function_waits_for(stage: Stage) -> None:
    stage.function("app:inner", "process.send(a, 'began') process.send(a, process.events():receive().type)")
    stage.function("app:outer", "return funcs.call('app:inner', a)")
    stage.workflow(
        "app:w",
        """
        local began, stopped = process.listen("began"), process.listen("CANCEL")
        local options = {["activity.heartbeat_timeout"] = "1s"}
        local future = funcs.new():with_options(options):async("app:outer", process.pid())
        began:receive()
        future:cancel()
        stopped:receive()
        return "stopped"
        """,
    )
    assert await stage.value("app:w") == "stopped"
