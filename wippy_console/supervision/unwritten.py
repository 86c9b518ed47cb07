"""Quarantines that the database has not taken yet, in files: they outlive the guardian that imposed them."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import asdict
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connections

from engine.contracts.watcher import Card
from wippy_console.services import quarantine
from wippy_console.worker.watch.overdue import Overdue

logger = logging.getLogger(__name__)

Kept = tuple[Card, float]


class Unwritten:
    """Begins with what an earlier guardian left in the folder; its length is how many are still to be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting = {path: kept for path in sorted(folder.glob("*.json")) if (kept := _read(path))}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, overdue: Overdue) -> None:
        """Keep it until `write` succeeds; where no file can be written, in memory alone."""
        path = self._folder / f"{uuid.uuid4().hex}.json"
        card = overdue.step.card
        self._waiting[path] = card, overdue.seconds
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(json.dumps({"card": asdict(card), "seconds": overdue.seconds}))
            part.replace(path)
        except OSError as error:
            logger.warning("the quarantine of %s is kept in memory alone: %s", card.entry, error)

    def write(self) -> None:
        """Give them to the database; those that it does not take stay."""
        if not self._waiting:
            return
        try:
            for path, (card, seconds) in list(self._waiting.items()):
                quarantine.impose(card, seconds, "")
                del self._waiting[path]
                _forget(path)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database does not answer, trying again: %s", error)
        finally:
            connections.close_all()


def _read(path: Path) -> Kept | None:
    try:
        found = json.loads(path.read_text())
        return Card(**found["card"]), float(found["seconds"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        logger.warning("%s is no quarantine: %s", path, error)
        return None


def _forget(path: Path) -> None:
    """Left behind, it is imposed once more by the next guardian, which changes nothing while it is active."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s can't be removed: %s", path, error)
