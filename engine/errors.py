"""The one error tree of the engine, and the structured failure that Lua code sees.

lupa's and Temporal's errors are translated into these at the edge where they enter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOT_FOUND = "NotFound"
ALREADY_EXISTS = "AlreadyExists"
INVALID = "Invalid"
PERMISSION_DENIED = "PermissionDenied"
UNAVAILABLE = "Unavailable"
INTERNAL = "Internal"
CANCELED = "Canceled"
CONFLICT = "Conflict"
TIMEOUT = "Timeout"
RATE_LIMITED = "RateLimited"
LIMIT_EXCEEDED = "LimitExceeded"
UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A structured error value, as Lua's error objects carry it (docs/lua.md#errors).

    `retryable` None means unspecified. `stack` is a Lua traceback or "".
    """

    kind: str
    message: str
    retryable: bool | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    stack: str = ""

    def __str__(self) -> str:
        return self.message

    def to_json(self) -> dict[str, Any]:
        """The failure as plain JSON data (keys: kind, message, retryable, details, stack)."""
        return {
            "kind": self.kind,
            "message": self.message,
            "retryable": self.retryable,
            "details": dict(self.details),
            "stack": self.stack,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Failure:
        """The inverse of `to_json`; what is missing, or of another type since others wrote it, takes its default."""
        kind, message, stack = (data.get(name) for name in ("kind", "message", "stack"))
        retryable, details = data.get("retryable"), data.get("details")
        return cls(
            kind=kind if isinstance(kind, str) else UNKNOWN,
            message=message if isinstance(message, str) else "",
            retryable=retryable if isinstance(retryable, bool) else None,
            details=details if isinstance(details, Mapping) else {},
            stack=stack if isinstance(stack, str) else "",
        )


def not_found(message: str) -> Failure:
    """A NotFound failure that must not be retried."""
    return Failure(NOT_FOUND, message, retryable=False)


def invalid(message: str, **details: Any) -> Failure:
    """An Invalid failure that must not be retried."""
    return Failure(INVALID, message, retryable=False, details=details)


class EngineError(Exception):
    """Base of every error that the engine raises to Python callers."""


class UnitFailed(EngineError):
    """A unit, call or command ended with a failure; `failure` says which."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class ProgramError(EngineError):
    """A program can't be built or found. `line` is 1-based, or None when unknown."""

    def __init__(self, message: str, *, entry_id: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.entry_id = entry_id
        self.line = line


class ValueRefused(EngineError):
    """A value can't cross a unit boundary (cycle, too deep, unsupported type)."""


class StepAborted(EngineError):
    """A step can't go on now or here, by a clock or for what a node lacks: the unit must not be stepped again, and did
    not fail by itself.

    Only for workflows: a replay can't know of it, so the task fails instead of the run.
    """
