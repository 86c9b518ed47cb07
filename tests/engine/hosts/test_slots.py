"""Places of programs: stuck runs of one hold a few threads of a queue, and others have theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.contracts.watcher import Card, Interruptible
from engine.errors import StepAborted
from engine.hosts.slots import SLOW, Slots, places_of_this_machine
from engine.hosts.watched import WatchedUnit
from engine.steps import DEFAULT_LIMITS, Identity, Returned, Step
from engine.testing import Driver, program_of
from tests.patience import PATIENCE


class Clock:
    """Moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@contextmanager
def holding(slots: Slots, program: str, count: int) -> Iterator[threading.Event]:
    """So many threads that have places until the event is set."""
    free, entered = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        assert slots.enter(program)
        entered.release()
        free.wait(PATIENCE)
        slots.leave(program)

    threads = [threading.Thread(target=hold) for _ in range(count)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=PATIENCE)
    yield free
    free.set()
    for thread in threads:
        thread.join(PATIENCE)


def test_slow_ones_leave_no_place_to_their_program_and_every_place_to_others() -> None:
    clock = Clock()
    slots = Slots(2, clock)
    with holding(slots, "stuck", 2):
        clock.now += SLOW
        assert not slots.enter("stuck")
        assert slots.enter("other")
        slots.leave("other")
    assert slots.enter("stuck")


def test_who_comes_behind_short_ones_waits_for_a_place() -> None:
    slots, got = Slots(2, Clock()), threading.Event()

    def come() -> None:
        assert slots.enter("short")
        got.set()

    with holding(slots, "short", 2) as free:
        waiting = threading.Thread(target=come)
        waiting.start()
        free.set()
        assert got.wait(PATIENCE)
        waiting.join(PATIENCE)


class Nobody:
    """A watcher that sees nothing."""

    def begin(self, unit: Interruptible, card: Card) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def refusal(self, card: Card) -> str:
        """None."""
        return ""


def _unit(slots: Slots, kind: str) -> WatchedUnit:
    source = "return {main = function() return 1 end}"
    world = Driver.of_source(source).world
    return WatchedUnit(Nobody(), slots, program_of(source, kind), Identity("{p}", kind), (), world, DEFAULT_LIMITS)


def test_the_task_of_a_run_without_a_place_fails_and_other_kinds_need_none() -> None:
    clock = Clock()
    slots = Slots(1, clock)
    run = _unit(slots, "workflow")
    with holding(slots, run._card.digest, 1):
        clock.now += SLOW
        with pytest.raises(StepAborted, match="tried again"):
            run.step()
        assert _unit(slots, "function").step() == Step((), Returned(1))
    assert run.step() == Step((), Returned(1))


def test_a_machine_has_a_place_for_each_core_and_one_more() -> None:
    assert places_of_this_machine() > 1
