"""The worker's own watch: it keeps the ledger, refuses what is quarantined, and interrupts steps that take too long."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping

from django.db import DatabaseError, InterfaceError, close_old_connections

from engine.contracts.watcher import Card, Interruptible
from wippy_console.services import quarantine
from wippy_console.worker.watch.ledger import Ledger
from wippy_console.worker.watch.overdue import Overdue, Overtime

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
FOLLOW_EVERY = 4  # looks


class StepWatcher:
    """Implements `engine.contracts.watcher.Watcher`. `start` reads what is quarantined before it returns."""

    def __init__(self, ledger: Ledger, limit: float, node: str) -> None:
        self._ledger = ledger
        self._limit = limit
        self._node = node
        self._overtime = Overtime(ledger, limit)
        self._refused: Mapping[tuple[str, str], str] = {}
        self._stop = threading.Event()
        self.begin = ledger.begin
        self.end = ledger.end

    def refusal(self, card: Card) -> str:
        """Why the program must not run here now, or ""."""
        return self._refused.get((card.digest, card.host), "") if self._refused else ""

    def start(self) -> None:
        """Read what is quarantined, and watch on a thread until `stop`."""
        self._follow()
        threading.Thread(target=self._watch, name="step-watch", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()

    def _watch(self) -> None:
        looks = 0
        while not self._stop.wait(LOOK_SECONDS):
            looks += 1
            for overdue in self._overtime.look(os.getpid()):
                self._interrupt(overdue)
            if looks % FOLLOW_EVERY == 0:
                self._follow()

    def _interrupt(self, overdue: Overdue) -> None:
        unit: Interruptible | None = self._ledger.unit(overdue.step)
        if unit is None or not unit.interrupt(quarantine.time_limit(self._limit)):
            return
        logger.warning("a step of %s took %.1f s: interrupted", overdue.step.card.entry, overdue.seconds)
        try:
            quarantine.impose(overdue.step.card, overdue.seconds, self._node)
        except (DatabaseError, InterfaceError):
            logger.exception("the quarantine of %s could not be kept", overdue.step.card.entry)
        self._follow()

    def _follow(self) -> None:
        """What is quarantined now; while the database is away, what was."""
        close_old_connections()
        try:
            self._refused = quarantine.refusals()
        except (DatabaseError, InterfaceError):
            logger.warning("what is quarantined can't be read", exc_info=True)
