"""One child process of `up`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.product import is_alive, until
from wippy_console.supervision.children import child as module
from wippy_console.supervision.children.child import Child, ChildDied, ChildSpec
from wippy_console.supervision.children.output import LogFile
from wippy_console.supervision.children.ready import ready_or_dead

Start = Callable[[str], Awaitable[Child]]
REPORTED: list[str] = []


@pytest.fixture
async def start_child(data_dir: Path) -> AsyncIterator[Start]:
    """Start a Python program as a child."""
    REPORTED.clear()
    started: list[Child] = []

    async def start(program: str, stop_seconds: float = 5.0) -> Child:
        spec = ChildSpec("demo", (sys.executable, "-u", "-c", program), dict(os.environ), stop_seconds)
        started.append(
            Child(spec, LogFile(data_dir / "demo.log"), lambda name, text: REPORTED.append(f"{name}: {text}"))
        )
        await started[-1].start()
        return started[-1]

    yield start
    for one in started:
        await one.stop()
        one.log.close()


async def eventually(probe: Callable[[], object], what: str) -> None:
    await asyncio.to_thread(until, probe, what)


async def test_a_child_that_dies_is_started_again_with_growing_pauses(
    start_child: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    child = await start_child("raise SystemExit(3)")
    restarting = asyncio.create_task(child.keep_running())
    await eventually(lambda: len(REPORTED) >= 6, "three restarts")
    restarting.cancel()
    pauses = [float(line.split()[-2]) for line in REPORTED if "ended with status 3" in line]
    assert pauses[1:3] == [pauses[0] * 2, pauses[0] * 4]


async def test_a_child_that_fails_again_and_again_says_why_and_where_to_look(
    start_child: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    child = await start_child("print('careful'); raise SystemExit('WIPPY_APPS: shop has a mistake')")
    restarting = asyncio.create_task(child.keep_running())
    await eventually(lambda: REPORTED, "its end")
    restarting.cancel()
    said = f"demo: ended with status 1: WIPPY_APPS: shop has a mistake (see {child.log.path}); starting again in "
    assert REPORTED[0].startswith(said)


async def test_a_child_that_ignores_the_request_to_stop_is_killed(start_child: Start) -> None:
    child = await start_child("import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)")
    child.spec = ChildSpec("demo", child.spec.command, child.spec.environment, stop_seconds=0.2)
    await eventually(lambda: "deaf" in child.log.tail(), "the child is deaf")
    await child.stop()
    assert child.process.returncode == -9


async def test_what_a_child_started_dies_with_it(start_child: Start) -> None:
    child = await start_child("import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid); p.wait()")
    await eventually(lambda: child.log.tail().strip(), "the grandchild's pid")
    grandchild = int(child.log.tail())
    await child.stop()
    await eventually(lambda: not is_alive(grandchild), "the grandchild is gone")


async def test_every_line_is_logged_and_warnings_reach_the_terminal(start_child: Start) -> None:
    child = await start_child(
        "print('plain'); print('2026-01-01 10:00:00 WARNING demo: careful'); print('x' * 3_000_000)"
    )
    with pytest.raises(ChildDied):
        await child.until_dead()
    assert [line for line in REPORTED if "careful" in line] == REPORTED
    written = child.log.path.read_text().splitlines()
    assert written[0] == "plain"
    assert any("left out" in line for line in written)


async def test_a_child_that_dies_before_it_is_ready_is_reported_with_its_last_words(start_child: Start) -> None:
    child = await start_child("import sys; sys.exit('no configuration')")
    with pytest.raises(ChildDied, match=r"(?s)demo ended with status 1.*no configuration"):
        await ready_or_dead(child, asyncio.sleep(30))


async def test_a_child_that_never_gets_ready_is_given_up(start_child: Start) -> None:
    child = await start_child("import time; time.sleep(60)")
    with pytest.raises(TimeoutError, match="demo was not ready"):
        await ready_or_dead(child, asyncio.sleep(30), patience=0.1)
