"""Timers by deadline: in order, in portions, and none that was stopped."""

from __future__ import annotations

import asyncio

import pytest

from engine.hosts.actor.concurrency.deadlines import LINGERING, PORTION
from engine.hosts.actor.concurrency.lock import OwnedLock
from engine.hosts.actor.concurrency.loop import LoopBridge


@pytest.fixture
def lock() -> OwnedLock:
    return OwnedLock()


async def test_timers_go_off_by_deadline_with_the_lock_held(lock: OwnedLock) -> None:
    bridge, heard, done = LoopBridge(lock), [], asyncio.Event()
    bridge.start()
    for name, seconds in (("last", 0.06), ("first", 0.02), ("second", 0.04)):
        bridge.timer(seconds, lambda name=name: heard.append((name, lock.held())))  # type: ignore[misc]
    bridge.timer(0.08, done.set)
    await asyncio.wait_for(done.wait(), 10)
    assert heard == [("first", True), ("second", True), ("last", True)]


async def test_many_that_are_due_at_once_leave_turns_to_others(lock: OwnedLock) -> None:
    bridge, count, done = LoopBridge(lock), 0, asyncio.Event()
    bridge.start()

    def heard() -> None:
        nonlocal count
        count += 1
        if count == 10 * PORTION:
            done.set()

    for _ in range(10 * PORTION):
        bridge.timer(0, heard)
    between = set()
    while not done.is_set():
        between.add(count)
        await asyncio.sleep(0)
    assert max(b - a for a, b in zip(sorted(between), sorted(between)[1:], strict=False)) <= PORTION


async def test_a_stopped_timer_stays_silent_and_many_do_not_linger(lock: OwnedLock) -> None:
    bridge, heard, done = LoopBridge(lock), [], asyncio.Event()
    bridge.start()
    timers = [bridge.timer(3600, lambda: heard.append("stopped")) for _ in range(1000)]
    timers.append(bridge.timer(0.01, lambda: heard.append("stopped")))
    with lock:
        for timer in timers:
            bridge.stop_timer(timer)
    bridge.timer(0.02, done.set)
    await asyncio.wait_for(done.wait(), 10)
    assert heard == []
    assert len(bridge._deadlines._heap) <= LINGERING


async def test_a_callback_that_raises_keeps_no_other_from_its_time(lock: OwnedLock) -> None:
    bridge, done = LoopBridge(lock), asyncio.Event()
    bridge.start()
    bridge.timer(0.01, lambda: 1 // 0)
    bridge.timer(0.02, done.set)
    await asyncio.wait_for(done.wait(), 10)
