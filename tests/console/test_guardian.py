"""The process around a worker, with scripts in the place of workers: stuck ones, ended ones, asked ones."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError

from tests.patience import PATIENCE
from wippy_console.models import FeedEvent, Quarantine
from wippy_console.services import quarantine
from wippy_console.supervision import guardian as guarding
from wippy_console.supervision.guardian import LONGEST_PAUSE, PAUSE, STEADY, Guardian

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]
LIMIT = 0.1

# A step that nothing interrupts, once; the next life finds that there was one, and ends.
STUCK_ONCE = """
import pathlib, sys
from engine.contracts.watcher import Card
from wippy_console.worker.watch.ledger import own_ledger
lived = pathlib.Path(sys.argv[1])
if lived.exists():
    sys.exit(7)
lived.touch()
ledger = own_ledger()
ledger.begin(None, Card("function", "app:stuck", "d" * 64, "app:stuck", "{node@app:stuck|1}"))
while True:
    pass
"""
DEAF_AND_STUCK = """
import pathlib, signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
from engine.contracts.watcher import Card
from wippy_console.worker.watch.ledger import own_ledger
ledger = own_ledger()
pathlib.Path(sys.argv[1]).touch()
while not asked:
    time.sleep(0.05)
ledger.begin(None, Card("function", "app:stuck", "d" * 64, "app:stuck", "{node@app:stuck|1}"))
while True:
    pass
"""
WAITING = "import pathlib, sys, time\npathlib.Path(sys.argv[1]).touch()\ntime.sleep(600)"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Any) -> Path:
    settings.WIPPY_DATA = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A guardian takes the signals of its process, which is the test's here."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def guardian(script: str, mark: Path, monkeypatch: pytest.MonkeyPatch) -> Guardian:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Guardian([sys.executable, "-c", script, str(mark)], LIMIT)


def test_a_worker_with_a_stuck_step_is_replaced_and_the_program_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guardian(STUCK_ONCE, tmp_path / "lived", monkeypatch).run() == 7
    found = Quarantine.objects.get()
    assert (found.entry_id, found.host, found.kind, found.lifted_at) == ("app:stuck", "app:stuck", "function", None)
    assert found.seconds >= LIMIT
    (event,) = FeedEvent.objects.filter(kind="QUARANTINE")
    assert event.data["state"] == "quarantined"


def test_a_quarantine_that_the_database_did_not_take_is_written_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impose, refusals = quarantine.impose, [DatabaseError("away")] * 2

    def late(*args: object) -> None:
        if refusals:
            raise refusals.pop()
        impose(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(quarantine, "impose", late)
    stuck_then_waiting = STUCK_ONCE.replace("sys.exit(7)", "import time; time.sleep(600)")
    watched = guardian(stuck_then_waiting, tmp_path / "lived", monkeypatch)
    asked = threading.Thread(target=_ask_when, args=(lambda: not refusals and not watched._unwritten,))
    asked.start()
    watched.run()
    asked.join()
    assert Quarantine.objects.get().entry_id == "app:stuck"


def test_a_signal_is_passed_on_and_ends_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = guardian(WAITING, tmp_path / "began", monkeypatch)
    asked = threading.Thread(target=_ask_when, args=((tmp_path / "began").exists,))
    asked.start()
    assert watched.run() == 128 + signal.SIGTERM
    asked.join()


def test_a_stuck_step_does_not_keep_a_worker_that_was_asked_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = guardian(DEAF_AND_STUCK, tmp_path / "began", monkeypatch)
    asked = threading.Thread(target=_ask_when, args=((tmp_path / "began").exists,))
    asked.start()
    assert watched.run() == 0
    asked.join()
    assert Quarantine.objects.get().entry_id == "app:stuck"


def test_a_quarantine_that_a_guardian_could_not_write_is_written_by_the_next_one(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as patched:
        patched.setattr(quarantine, "impose", away)
        patched.setattr(guarding, "LAST_SECONDS", 0.0)
        assert guardian(STUCK_ONCE, tmp_path / "lived", patched).run() == 7
    assert not Quarantine.objects.exists()
    (data / "quarantines" / "odd.json").write_text("{")
    assert guardian("import sys; sys.exit(3)", tmp_path, monkeypatch).run() == 3
    assert Quarantine.objects.get().entry_id == "app:stuck"
    assert [path.name for path in (data / "quarantines").iterdir()] == ["odd.json"]


def test_a_worker_that_ends_by_itself_ends_its_guardian_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guardian("import sys; sys.exit(3)", tmp_path, monkeypatch).run() == 3
    assert guardian("import os; os.kill(os.getpid(), 9)", tmp_path, monkeypatch).run() == 128 + signal.SIGKILL
    assert not Quarantine.objects.exists()


def test_a_worker_that_is_killed_again_and_again_is_started_more_and_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    now, lives = [0.0], iter([1.0] * 8 + [STEADY + 1] + [1.0])
    monkeypatch.setattr(guarding, "time", SimpleNamespace(monotonic=lambda: now[0]))
    watched = Guardian(["worker"], LIMIT)

    def live() -> int | None:
        now[0] += next(lives, 0.0)
        return None if len(pauses) < 10 else 0

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    monkeypatch.setattr(watched, "_guarded", live)
    monkeypatch.setattr(watched, "_is_asked_within", wait)
    assert watched.run() == 0
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE, PAUSE, 2 * PAUSE]


def _ask_when(ready: Callable[[], bool]) -> None:
    """Send this process SIGTERM as soon as it is so."""
    end = time.monotonic() + PATIENCE
    while not ready() and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
