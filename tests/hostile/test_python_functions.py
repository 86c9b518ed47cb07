"""Python functions that leave, spin, lie or can't say why: one call's error, and the node goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from engine.entry import Entry
from tests.hostile import code
from tests.hostile.scene import Left, Scene, scene

CALL = "return funcs.call(...)"
NAMES = [name for name, each in vars(code).items() if getattr(each, "__module__", "") == code.__name__]
RAISING = (
    "leaves interrupts is_deaf can_not_say gives_up cancels recurses says_much "
    "async_leaves async_interrupts async_cancels"
)
RETURNING = "returns_much returns_many returns_itself returns_depth returns_endless returns_a_trap returns_a_coroutine"


def python(name: str) -> Entry:
    return Entry(f"app:{name}", "function.python", {}, {"callable": f"tests.hostile.code:{name}"})


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Scene]:
    code.release.clear()
    code.began.clear()
    async with scene(tmp_path, *map(python, NAMES), threads=4) as it:
        await it.neighbours()
        for name in ("well", "sync_well"):
            assert (await it.told(CALL, f"app:{name}")).text == "well"
        yield it
        code.release.set()


@pytest.mark.parametrize("name", [*RAISING.split(), *RETURNING.split()])
async def test_bad_code_costs_one_call_a_clear_error(here: Scene, name: str) -> None:
    before = Left.now()
    told = await here.told(CALL, f"app:{name}")
    assert told.kind in ("Internal", "Invalid", "LimitExceeded", "Canceled") and 0 < len(told.text) < 70_000
    for other in ("well", "sync_well"):
        assert (await here.told(CALL, f"app:{other}")).text == "well"
    await here.neighbours()
    await here.comes_back_to(before)


@pytest.mark.parametrize("name", ["stops_the_loop", "leaves_tasks", "ends_others"])
async def test_code_that_misuses_the_loop_of_all_keeps_nobody_from_it(here: Scene, name: str) -> None:
    await here.told(CALL, f"app:{name}")
    for _ in range(3):
        assert (await here.told(CALL, "app:well")).text == "well"
        assert (await here.told(CALL, "app:sync_well")).text == "well"


@pytest.mark.parametrize("name", ["hangs", "spins", "swallows"])
async def test_code_that_does_not_end_keeps_its_thread_alone(here: Scene, name: str) -> None:
    call = asyncio.create_task(
        here.told("return funcs.new():with_options({timeout = '50ms'}):call(...)", f"app:{name}")
    )
    await here.until(code.began.is_set)
    await here.neighbours()
    assert (await here.told(CALL, "app:sync_well")).text == "well"
    assert (await here.told(CALL, "app:well")).text == "well"
    told = await call
    assert told.kind in ("Timeout", "Canceled")
