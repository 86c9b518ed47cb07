"""Keeping one child process running."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.product import is_alive, until
from wippy_console.supervision import child as module
from wippy_console.supervision.child import Child, ChildDied, Keeper
from wippy_console.supervision.output import LogFile
from wippy_console.supervision.ready import ready_or_dead

Keep = Callable[[str], Awaitable[Keeper]]
TOLD: list[str] = []


@pytest.fixture
async def keep(data_dir: Path) -> AsyncIterator[Keep]:
    """Start a Python program as a kept child."""
    TOLD.clear()
    kept: list[Keeper] = []

    async def start(program: str, stop_seconds: float = 5.0) -> Keeper:
        child = Child("demo", (sys.executable, "-u", "-c", program), dict(os.environ), stop_seconds)
        kept.append(Keeper(child, LogFile(data_dir / "demo.log"), lambda name, text: TOLD.append(f"{name}: {text}")))
        await kept[-1].start()
        return kept[-1]

    yield start
    for one in kept:
        await one.stop()
        one.log.close()


async def eventually(probe: Callable[[], object], what: str) -> None:
    await asyncio.to_thread(until, probe, what)


async def test_a_child_that_dies_is_started_again_with_growing_pauses(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    keeper = await keep("raise SystemExit(3)")
    keeping = asyncio.create_task(keeper.keep())
    await eventually(lambda: len(TOLD) >= 6, "three restarts")
    keeping.cancel()
    pauses = [float(line.split()[-2]) for line in TOLD if "ended with status 3" in line]
    assert pauses[1:3] == [pauses[0] * 2, pauses[0] * 4]


async def test_a_child_that_ignores_the_request_to_stop_is_killed(keep: Keep) -> None:
    keeper = await keep("import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)")
    keeper.child = Child("demo", keeper.child.command, keeper.child.environment, stop_seconds=0.2)
    await eventually(lambda: "deaf" in keeper.log.tail(), "the child is deaf")
    await keeper.stop()
    assert keeper.process.returncode == -9


async def test_what_a_child_started_dies_with_it(keep: Keep) -> None:
    keeper = await keep("import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid); p.wait()")
    await eventually(lambda: keeper.log.tail().strip(), "the grandchild's pid")
    grandchild = int(keeper.log.tail())
    await keeper.stop()
    await eventually(lambda: not is_alive(grandchild), "the grandchild is gone")


async def test_every_line_is_logged_and_warnings_reach_the_terminal(keep: Keep) -> None:
    keeper = await keep("print('plain'); print('2026-01-01 10:00:00 WARNING demo: careful'); print('x' * 3_000_000)")
    with pytest.raises(ChildDied):
        await keeper.until_dead()
    assert [line for line in TOLD if "careful" in line] == TOLD
    written = keeper.log.path.read_text().splitlines()
    assert written[0] == "plain"
    assert any("left out" in line for line in written)


async def test_a_child_that_dies_before_it_is_ready_is_reported_with_its_last_words(keep: Keep) -> None:
    keeper = await keep("import sys; sys.exit('no configuration')")
    with pytest.raises(ChildDied, match=r"(?s)demo ended with status 1.*no configuration"):
        await ready_or_dead(keeper, asyncio.sleep(30))


async def test_a_child_that_never_gets_ready_is_given_up(keep: Keep) -> None:
    keeper = await keep("import time; time.sleep(60)")
    with pytest.raises(TimeoutError, match="demo was not ready"):
        await ready_or_dead(keeper, asyncio.sleep(30), patience=0.1)
