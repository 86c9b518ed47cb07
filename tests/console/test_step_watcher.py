"""The worker's watch, with quarantines in memory: a step that takes too long is interrupted, its program refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from engine.contracts.watcher import Card
from tests.attacks.quarantines import MemoryQuarantines
from wippy_console.worker.watch import watcher
from wippy_console.worker.watch.ledger import Ledger, memory
from wippy_console.worker.watch.watcher import StepWatcher

DIGEST = "a" * 64
PATIENCE = 60.0


class Spinning:
    """A unit that steps until it is interrupted."""

    def __init__(self) -> None:
        self.why = ""
        self._interrupted = threading.Event()

    def interrupt(self, why: str) -> bool:
        self.why = why
        self._interrupted.set()
        return True

    def step(self) -> None:
        while not self._interrupted.is_set():
            pass


@pytest.fixture
def watch() -> Iterator[StepWatcher]:
    watch = StepWatcher(Ledger(memory()), 0.2, MemoryQuarantines())
    watch.start()
    yield watch
    watch.stop()


def _stuck(watch: StepWatcher, card: Card) -> str:
    unit = Spinning()

    def step() -> None:
        watch.begin(unit, card)
        unit.step()
        watch.end()

    thread = threading.Thread(target=step, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    return unit.why


def _until_refused(watch: StepWatcher, card: Card) -> str:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if why := watch.refusal(card):
            return why
        pause.wait(0.05)
    return ""


def test_a_step_over_the_limit_is_interrupted_and_its_program_refused_on_that_host(watch: StepWatcher) -> None:
    card = Card("process", "app:stuck", DIGEST, "app:host", "{node@app:host|1}")
    assert _stuck(watch, card) == "time limit exceeded: a step took more than 0.2 s of processor time"
    assert "app:stuck" in _until_refused(watch, card)
    assert watch.refusal(Card("process", "app:stuck", DIGEST, "app:other", "{node@app:other|1}")) == ""


def test_a_step_of_a_run_has_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "WORKFLOW_SECONDS", 0.1)
    watch = StepWatcher(Ledger(memory()), 600, MemoryQuarantines())
    watch.start()
    card = Card("workflow", "app:stuck", DIGEST, "app:worker", "{app:client@app:worker|1}")
    assert "more than 0.1 s" in _stuck(watch, card)
    watch.stop()
