"""`ctx`, the first argument of every Python function: which call it is, and its ties to who waits for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from engine.hosts.python import values
from engine.hosts.python.call import PythonCall
from wippy_console.sdk.errors import Canceled

ACTIVITY = "activity"
"""The name in Lua's `ctx` of what `ctx` here says by its fields."""
MAX_DETAILS = 64 * 1024
SECOND = 1_000_000_000
_logger = logging.getLogger("wippy.lua.python")


@dataclass(frozen=True, slots=True)
class Run:
    """The run of a workflow that makes the call."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf the function runs."""

    id: str
    meta: Mapping[str, Any] = field(default_factory=dict)


class Context:
    """One try of one call. Everything may be used from any thread."""

    def __init__(self, call: PythonCall) -> None:
        self._call = call
        self.entry: str = call.entry
        """The id of the entry that was called."""
        self.pid: str = call.identity.pid
        self.attempt: int = call.attempt.number
        """Which try of the call this is, from 1."""

    def __repr__(self) -> str:
        return f"<Context of {self.entry}, attempt {self.attempt}>"

    @property
    def run(self) -> Run | None:
        """The run that makes the call; None outside of workflows."""
        attempt = self._call.attempt
        return Run(attempt.workflow_id, attempt.run_id) if attempt.workflow_id else None

    @property
    def idempotency_key(self) -> str:
        """The same for all tries of this call, and of no other: what a payment provider wants to have."""
        return self._call.attempt.key

    @property
    def deadline(self) -> datetime | None:
        """When nobody waits any more; None when no timeout holds."""
        at = self._call.attempt.deadline
        return datetime.fromtimestamp(at / SECOND, UTC) if at else None

    @property
    def canceled(self) -> bool:
        """Whether the function was asked to stop."""
        return self._call.canceled

    def check(self) -> None:
        """Raise Canceled once the function was asked to stop."""
        if self._call.canceled:
            raise Canceled(self._call.reason)

    def heartbeat(self, details: Any = None) -> None:
        """Say that the function is alive, and what the next try is to know; raises Canceled as `check`."""
        self.check()
        self._call.heartbeat(values.outgoing(details, MAX_DETAILS, "details of a heartbeat"))

    @property
    def heartbeat_details(self) -> Any:
        """What the try before told last by `heartbeat`; None when it told nothing."""
        return self._call.attempt.details

    @property
    def actor(self) -> Actor | None:
        """On whose behalf the function runs, as Lua's `security.actor()`."""
        security = self._call.identity.security
        actor = security.actor if security is not None else None
        return None if actor is None else Actor(actor.id, actor.meta)

    @property
    def context(self) -> Mapping[str, Any]:
        """The values of Lua's `ctx`."""
        return {name: value for name, value in self._call.identity.context.items() if name != ACTIVITY}

    @cached_property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines stand beside those of Lua code, with pid, entry, run and attempt."""
        run = self.run
        fields = {"attempt": self.attempt, **({"run_id": run.run_id} if run else {})}
        return _Logger(_logger, {"pid": self.pid, "entry_id": self.entry, "lua_logger": "", "fields": fields})


class _Logger(logging.LoggerAdapter[logging.Logger]):
    """What a line says in `extra` goes to its fields."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add what is known of the call."""
        known = dict(self.extra or {})
        known["fields"] = {**known["fields"], **(kwargs.get("extra") or {})}  # type: ignore[dict-item]
        return msg, {**kwargs, "extra": known}
