"""The tailer by itself: what it keeps, and that no listener sleeps through a row."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.patience import PATIENCE
from wippy_console.database.threads import in_thread
from wippy_console.live import tailer as module
from wippy_console.live.tailer import Tailer
from wippy_console.services import feed

pytestmark = pytest.mark.django_db(transaction=True)


async def ready(tailer: Tailer) -> None:
    while tailer.read(2**62) is None:
        await asyncio.sleep(0.01)


async def test_a_row_that_comes_while_the_tailer_begins_wakes_its_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(module, "warm_up", lambda: go.wait(PATIENCE))
    tailer = Tailer()
    listener = tailer.subscribe()
    await in_thread(lambda: feed.append(feed.NODE))
    go.set()
    await asyncio.wait_for(listener.wake.wait(), PATIENCE)
    tailer.unsubscribe(listener)


async def test_rows_are_kept_in_bounds_and_older_cursors_are_sent_to_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    tailer = Tailer()
    listener = tailer.subscribe()
    await ready(tailer)
    start = await in_thread(feed.head)
    await in_thread(lambda: feed.append_all([feed.draft(feed.NODE, node=str(n)) for n in range(module.CAPACITY + 100)]))
    end = await in_thread(feed.head)
    found: Any = None
    while found is None or found[1] < end:
        await asyncio.sleep(0.05)
        found = tailer.read(end - 10)
    assert [each.id for each in found[0]] == list(range(end - 9, end + 1))
    assert tailer.read(start) is None
    assert tailer.read(end - 10, kinds=("EXIT",)) == ([], end)
    tailer.unsubscribe(listener)


async def test_the_thread_ends_with_its_last_listener_and_comes_back() -> None:
    tailer = Tailer()
    for _ in range(2):
        listener = tailer.subscribe()
        await ready(tailer)
        await in_thread(lambda: feed.append(feed.NODE))
        await asyncio.wait_for(listener.wake.wait(), PATIENCE)
        tailer.unsubscribe(listener)
        while any(thread.name == "feed-tailer" for thread in threading.enumerate()):
            await asyncio.sleep(0.02)


async def test_it_says_for_how_long_it_could_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    tailer = Tailer()
    assert tailer.silent_seconds() is None
    listener = tailer.subscribe()
    await ready(tailer)
    go = threading.Event()
    monkeypatch.setattr(module, "stamp", lambda: go.wait(PATIENCE))
    while (tailer.silent_seconds() or 0) < 1:
        await asyncio.sleep(0.05)
    go.set()
    while (tailer.silent_seconds() or 0) > 1:
        await asyncio.sleep(0.01)
    tailer.unsubscribe(listener)
