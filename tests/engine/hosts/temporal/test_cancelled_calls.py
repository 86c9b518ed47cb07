"""A run that is asked to stop passes it on to the calls that it waits for."""

from __future__ import annotations

import pytest

from engine.hosts.temporal.client import starting
from tests.engine.hosts.temporal.stage import Stage

LINGERS = """
local clock = time.after("2s")
channel.select{process.events():case_receive(), clock:case_receive()}
return "late"
"""
CALLS = """
local value, err = funcs.call("app:lingers")
local reason = process.events():receive().reason
return {value or err:kind(), reason}
"""


async def outcome(stage: Stage) -> object:
    stage.function("app:lingers", LINGERS)
    stage.workflow("app:calls", CALLS)
    pid = await stage.spawn("app:calls")
    await stage.waits_for(pid, "call", "app:lingers")
    await stage.host.cancel(pid, "enough", "")
    return (await stage.exit(pid)).value


async def test_a_cancelled_run_waits_no_more_for_its_call(stage: Stage) -> None:
    assert await outcome(stage) == ["Canceled", "enough"]


async def test_a_run_begun_before_waits_for_its_call_to_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "KERNEL", 1)
    assert await outcome(stage) == ["late", "enough"]


async def test_what_is_called_after_the_cancel_goes_its_way(stage: Stage) -> None:
    stage.function("app:lingers", LINGERS)
    stage.function("app:release", "time.sleep('50ms') return 'released'")
    stage.workflow("app:calls", "funcs.call('app:lingers') return funcs.call('app:release')")
    pid = await stage.spawn("app:calls")
    await stage.waits_for(pid, "call", "app:lingers")
    await stage.host.cancel(pid, "enough", "")
    assert (await stage.exit(pid)).value == "released"
