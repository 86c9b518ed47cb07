"""One call of a Python function as its host, its code and whoever wants it to stop share it; for any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from engine.attempt import Attempt
from engine.errors import CANCELED, Failure, UnitFailed
from engine.program import Program
from engine.steps import Identity, Value


class PythonCall:
    """What the code may know and do: `ctx` of the console stands on it."""

    def __init__(self, program: Program, identity: Identity, args: Sequence[Value], limit: int) -> None:
        self.entry = program.entry_id
        self.callable = program.method
        self.identity = identity
        self.attempt = identity.attempt or Attempt()
        self.args = tuple(args)
        self.limit = limit
        """The most bytes that its result may hold."""
        self.began = time.monotonic()
        self.started = time.time_ns()
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._given_up_at = 0.0
        self._on_cancel: list[Callable[[], None]] = []
        self._on_given_up: list[Callable[[], None]] = []

    def __str__(self) -> str:
        return f"{self.entry} {self.identity.pid}"

    # --- for the code ------------------------------------------------------------------------

    @property
    def canceled(self) -> bool:
        """Whether it was asked to stop."""
        return self._reason is not None

    @property
    def reason(self) -> str:
        """Why it was asked to stop; "" as long as it was not."""
        return self._reason or ""

    def check(self) -> None:
        """Raise Canceled (UnitFailed) once it was asked to stop."""
        if self._reason is not None:
            raise UnitFailed(stopped(self._reason))

    def heartbeat(self, details: Value) -> None:
        """Tell the host that it is alive, and what the next try is to know; raises as `check`."""
        self.check()
        self.attempt.beat(details)

    # --- for the host ------------------------------------------------------------------------

    def cancel(self, reason: str) -> None:
        """Ask the code to stop; it decides."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            told, self._on_cancel = self._on_cancel, []
        for callback in told:
            callback()

    def give_up(self) -> None:
        """Nobody waits any more: stop the code by force, as far as that goes."""
        self.cancel("terminated")
        with self._lock:
            self._given_up_at = self._given_up_at or time.monotonic()
            told, self._on_given_up = self._on_given_up, []
        for callback in told:
            callback()

    @property
    def given_up(self) -> bool:
        """Whether nobody waits any more."""
        return bool(self._given_up_at)

    def outlived(self, seconds: float) -> bool:
        """Whether nobody waits for it since so long."""
        return self.given_up and time.monotonic() - self._given_up_at > seconds

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Call back when it is asked to stop, at once if it was; on whatever thread that happens."""
        with self._lock:
            if self._reason is None:
                self._on_cancel.append(callback)
                return
        callback()

    def on_given_up(self, callback: Callable[[], None]) -> None:
        """Call back when nobody waits any more, at once if so; on whatever thread that happens."""
        with self._lock:
            if not self.given_up:
                self._on_given_up.append(callback)
                return
        callback()


def stopped(reason: str) -> Failure:
    """What a call ends with that heeds the wish to stop it."""
    return Failure(CANCELED, reason or "canceled", retryable=False)
