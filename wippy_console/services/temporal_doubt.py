"""Doubt in Temporal: once it did not answer, each client is asked in short before anything else is asked of it.

So the first request waits as long as that may take, and the next ones are refused at once. It ends by itself, some time
after the last failure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from wippy_console.services.errors import Unavailable

LASTS_SECONDS = 30.0
FRESH_SECONDS = 2.0
"""So long an answer serves all who ask."""


class Away(Unavailable):
    """It is known to be away, so nothing was asked of it."""


class Doubt:
    """What one OS process knows; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._answers: dict[str, tuple[float, str]] = {}
        self._asking: set[str] = set()

    def begin(self) -> None:
        """Something was not answered, or late."""
        self._until = time.monotonic() + LASTS_SECONDS

    def end(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._until = 0.0
            self._answers.clear()

    def refuse_away(self, client_id: str, ask: Callable[[], object]) -> None:
        """Raise `Away` when the client's server does not answer `ask`, which raises `Unavailable` then."""
        if time.monotonic() > self._until:
            return
        why = self._known(client_id)
        if why is None:
            why = self._asked(client_id, ask)
        if why:
            raise Away(why)

    def _known(self, client_id: str) -> str | None:
        """What was answered, also longer ago while somebody asks again; None when it is on the caller to ask."""
        with self._lock:
            at, why = self._answers.get(client_id, (0.0, None))
            if why is not None and (time.monotonic() - at < FRESH_SECONDS or client_id in self._asking):
                return why
            self._asking.add(client_id)
            return None

    def _asked(self, client_id: str, ask: Callable[[], object]) -> str:
        why = ""
        try:
            ask()
        except Unavailable as error:
            why = error.message
        finally:
            with self._lock:
                self._asking.discard(client_id)
                self._answers[client_id] = time.monotonic(), why
        return why
