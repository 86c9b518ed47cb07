"""What is quarantined, as the database keeps it: a worker goes on with what it knows while that is away."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from engine.contracts.watcher import Card
from wippy_console.services import quarantine

logger = logging.getLogger(__name__)


class KeptQuarantines:
    """Implements `wippy_console.worker.watch.watcher.Quarantines` for a node."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._known: Mapping[tuple[str, str], str] = {}

    def impose(self, card: Card, seconds: float) -> None:
        """Quarantine the program on its host."""
        try:
            quarantine.impose(card, seconds, self._node)
        except (DatabaseError, InterfaceError):
            logger.exception("the quarantine of %s could not be kept", card.entry)

    def refusals(self) -> Mapping[tuple[str, str], str]:
        """What is quarantined now; while the database is away, what was."""
        close_old_connections()
        try:
            self._known = quarantine.refusals()
        except (DatabaseError, InterfaceError):
            logger.warning("what is quarantined can't be read", exc_info=True)
        return self._known

    def close(self) -> None:
        """Close the connections of the thread."""
        with suppress(DatabaseError, InterfaceError):
            connections.close_all()
