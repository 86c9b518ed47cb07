"""Functions that are to stop: those that heed it, those that do not, and those that can't be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from engine.contracts.host import CallRequest
from engine.errors import Failure, UnitFailed
from engine.hosts.actor import calls
from engine.hosts.python import functions, interrupts
from engine.hosts.python.call import PythonCall
from engine.hosts.python.surroundings import Surroundings
from tests.engine.hosts.actor.support import Lab, lab
from tests.engine.hosts.python import code
from tests.engine.hosts.python.support import python, python_lab, resolve
from tests.patience import PATIENCE
from wippy_console.sdk.context import Context


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PATIENCE", 0.05)
    monkeypatch.setattr(functions, "STUCK_SECONDS", 0.05)


@pytest.mark.parametrize("name", ["waits", "ignores", "hangs", "sleeps", "blocks"])
async def test_a_timeout_ends_the_call_whatever_the_code_does(name: str) -> None:
    async with python_lab(python(name), python("add")) as it:
        failure = await it.failure(f"app:{name}", options={"timeout": "50ms"})
        assert failure.kind == "Timeout"
        assert await it.call("app:add", 1, 1) == 2
        await it.until(lambda: not it.node.processes())


@pytest.mark.parametrize("name", ["waits", "sleeps"])
async def test_code_that_heeds_the_wish_ends_canceled_with_its_reason(name: str) -> None:
    async with python_lab(python(name)) as it:
        task = asyncio.ensure_future(it.failure(f"app:{name}"))
        await _cancel(it, "enough")
        assert await task == Failure("Canceled", "enough", retryable=False, stack=(await task).stack)


@pytest.mark.parametrize("name", ["ignores", "blocks"])
async def test_python_code_that_ignores_it_is_broken_off_and_its_thread_serves_again(name: str) -> None:
    async with python_lab(python(name), python("add"), python("add_later"), threads=1) as it:
        failure = await it.failure(f"app:{name}", options={"timeout": "50ms"})
        assert failure.kind == "Timeout" and "caught" not in code.seen
        async with asyncio.timeout(PATIENCE):
            assert await it.call("app:add", 1, 1) == 2
            assert await it.call("app:add_later", 1, 1) == 2
        assert not code.release.is_set()


async def test_threads_that_hang_in_c_are_replaced_up_to_a_bound_then_calls_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    async with python_lab(python("hangs"), python("add"), threads=1) as it:
        for _ in range(2):
            assert await it.call("app:add", 1, 1) == 2
            assert (await it.failure("app:hangs", options={"timeout": "50ms"})).kind == "Timeout"
            await it.until(lambda: not it.node.processes())
        failure = await it.failure("app:add", 1, 1)
        assert (failure.kind, failure.retryable) == ("Unavailable", True)
        assert "app:hangs (2)" in failure.message
        await it.until(lambda: "does not stop" in caplog.text)
        code.release.set()
        assert await _once_free(it) == 2


@pytest.mark.parametrize("name", ["hangs", "ignores", "waits"])
async def test_a_call_that_was_stopped_by_force_leaves_no_trap_for_profilers(name: str) -> None:
    async with python_lab(python(name)) as it:
        assert (await it.failure(f"app:{name}", options={"timeout": "50ms"})).kind == "Timeout"
        await asyncio.sleep(interrupts.PATIENCE_SECONDS * 2)
        seen: list[str] = []

        def entered() -> None:
            seen.append("entered")

        faulthandler.dump_traceback_later(PATIENCE, exit=True)  # nothing else gets out of there
        sys.setprofile(lambda *_: None)
        entered()
        sys.setprofile(None)
        faulthandler.cancel_dump_traceback_later()
        assert seen == ["entered"]


async def test_a_call_that_waits_for_a_thread_is_stopped_at_once() -> None:
    async with python_lab(python("hangs"), python("add"), threads=1) as it:
        holder = asyncio.ensure_future(it.node.call(CallRequest("app:hangs")))
        await it.until(lambda: "began" in code.seen)
        assert (await it.failure("app:add", 1, 1, options={"timeout": "20ms"})).kind == "Timeout"
        code.release.set()
        assert await holder == "released"


async def test_a_terminated_call_leaves_nothing_behind() -> None:
    async with python_lab(python("ignores"), python("add"), threads=1) as it:
        task = asyncio.ensure_future(it.failure("app:ignores"))
        await it.until(lambda: "began" in code.seen)
        it.node.terminate(it.node.processes()[0].pid)
        assert (await task).message == "process terminated"
        assert await it.call("app:add", 1, 1) == 2


async def test_blocking_code_keeps_neither_the_node_nor_sync_functions() -> None:
    async with python_lab(python("blocks"), python("hangs"), python("add")) as it:
        held = [asyncio.ensure_future(it.node.call(CallRequest(f"app:{name}"))) for name in ("blocks", "hangs")]
        await it.until(lambda: code.seen.count("began") == 2)
        assert await it.call("app:add", 1, 1) == 2
        assert await it.run("time.sleep('1ms') return 7") == 7
        code.release.set()
        assert await asyncio.gather(*held) == ["released", "released"]


async def test_what_blocks_the_loop_is_named_in_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "BLOCKED_SECONDS", 0.0)
    monkeypatch.setattr(functions, "PROBE_SECONDS", 0.02)
    async with python_lab(python("blocks")) as it:
        held = asyncio.ensure_future(it.node.call(CallRequest("app:blocks")))
        await it.until(lambda: "blocks all async functions" in caplog.text)
        assert "app:blocks" in caplog.text
        code.release.set()
        assert await held == "released"


async def test_what_runs_is_listed() -> None:
    async with python_lab(python("hangs")) as it:
        held = asyncio.ensure_future(it.node.call(CallRequest("app:hangs")))
        await it.until(lambda: any(each.doing for each in it.node.processes()))
        (info,) = it.node.processes()
        assert info.doing[0].text == "python tests.engine.hosts.python.code:hangs"
        code.release.set()
        assert await held == "released"


async def test_what_does_not_stop_is_listed_when_nobody_waits_for_it_any_more() -> None:
    python_functions = functions.PythonFunctions(Surroundings(resolve, Context))
    entries = [python("hangs"), python("blocks"), python("calm")]
    async with lab(*entries, operations=python_functions.operations()) as it:
        assert await it.call("app:calm") == "calm"
        for name in ("hangs", "blocks"):
            assert (await it.failure(f"app:{name}", options={"timeout": "50ms"})).kind == "Timeout"
        await it.until(lambda: not it.node.processes() and len(python_functions.stuck()) == 2)
        hung, blocking = python_functions.stuck()
        assert (hung.entry, blocking.entry) == ("app:hangs", "app:blocks") and hung.kind == "function"
        assert "code:hangs, which nobody waits for" in hung.doing[0].text and hung.started == hung.doing[0].since
        assert python_functions.stuck() == [hung, blocking]
        code.release.set()
        await it.until(lambda: not python_functions.stuck())
    await python_functions.close()


async def _cancel(it: Lab, reason: str) -> None:
    await it.until(lambda: "began" in code.seen)
    pid = it.node.processes()[0].pid
    host = it.node.host_of(pid)
    assert host is not None
    await host.cancel(pid, reason, "")


async def _once_free(it: Lab) -> Any:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(UnitFailed):
                return await it.call("app:add", 1, 1)
            await asyncio.sleep(0.005)


async def test_what_hangs_around_a_call_holds_its_thread_and_is_told() -> None:
    @contextlib.contextmanager
    def around(call: PythonCall) -> Iterator[None]:
        yield
        if call.callable.endswith(":who"):
            code.seen.append("closing")
            code.release.wait()

    surroundings = Surroundings(resolve, Context, around=around)
    async with python_lab(python("who"), python("add"), threads=1, surroundings=surroundings) as it:
        for _ in range(2):
            assert (await it.failure("app:who", options={"timeout": "200ms"})).kind == "Timeout"
            await it.until(lambda: not it.node.processes())
        failure = await it.failure("app:add", 1, 1)
        assert failure.kind == "Unavailable" and "app:who (2)" in failure.message
        code.release.set()
        assert await _once_free(it) == 2
