"""The ledger of steps, and who is over time by it: without a worker, a thread of the test stands for one of its own."""

from __future__ import annotations

import os
import time

import pytest

from engine.contracts.watcher import Card
from wippy_console.worker.watch import overdue
from wippy_console.worker.watch.ledger import Ledger, Running, memory
from wippy_console.worker.watch.overdue import Overtime

DIGEST = "a" * 64


class Unit:
    def interrupt(self, why: str) -> bool:
        return True


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(memory())


def seen(ledger: Ledger, card: Card) -> list[Running]:
    """What a reader sees during a step of that card."""
    ledger.begin(Unit(), card)
    found = list(ledger.running())
    ledger.end()
    return found


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\U0001f512", "\x01", '"', "\ud800"])
def test_no_id_hides_a_step(ledger: Ledger, letter: str) -> None:
    """Whoever starts a run chooses its id."""
    pid = "{app:client@app:worker|" + letter * 1000 + "}"
    (found,) = seen(ledger, Card("workflow", "app:run", DIGEST, "app:worker", pid))
    assert (found.card.entry, found.card.digest, found.card.host) == ("app:run", DIGEST, "app:worker")
    assert list(ledger.running()) == []


def test_a_quarantine_is_of_the_whole_id_of_a_host(ledger: Ledger) -> None:
    """Cut, it would be found by nobody who asks whether the program may run."""
    card = Card("process", "app:" + "e" * 496, DIGEST, "app:" + "h" * 496, "{node@host|1}")
    (found,) = seen(ledger, card)
    assert found.card == card


def test_a_thread_whose_time_could_not_be_read_is_not_charged_for_its_whole_life(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker without a free file descriptor reads nothing; what the thread did before is not this step's."""
    limit = 0.2
    while time.thread_time() < 2 * limit:
        pass
    overtime = Overtime(ledger, limit)
    ledger.begin(Unit(), Card("function", "app:innocent", DIGEST, "app:innocent", "{node@app:innocent|1}"))
    with monkeypatch.context() as patch:
        patch.setattr(overdue, "Path", _refuse)
        assert list(overtime.look(os.getpid())) == []
    assert list(overtime.look(os.getpid())) == []
    began = time.thread_time()
    while time.thread_time() < began + 2 * limit:
        pass
    assert [found.step.card.entry for found in overtime.look(os.getpid())] == ["app:innocent"]


def _refuse(path: str) -> None:
    raise OSError(path)
