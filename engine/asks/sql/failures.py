"""How databases fail, as Lua sees it. No message holds a bound value, an address or a password."""

from __future__ import annotations

from engine.errors import (
    ALREADY_EXISTS,
    CONFLICT,
    INTERNAL,
    INVALID,
    LIMIT_EXCEEDED,
    NOT_FOUND,
    PERMISSION_DENIED,
    TIMEOUT,
    UNAVAILABLE,
    Failure,
    UnitFailed,
    invalid,
)

Kind = tuple[str, bool]
"""A kind of errors, and whether another try may help."""

_BY_STATE: dict[str, Kind] = {
    "22": (INVALID, False),
    "23": (INVALID, False),
    "23505": (ALREADY_EXISTS, False),
    "25": (INVALID, False),
    "25006": (PERMISSION_DENIED, False),
    "28": (PERMISSION_DENIED, False),
    "3D": (NOT_FOUND, False),
    "3B": (INVALID, False),
    "40": (CONFLICT, True),
    "42": (INVALID, False),
    "42501": (PERMISSION_DENIED, False),
    "53": (UNAVAILABLE, True),
    "53100": (LIMIT_EXCEEDED, False),
    "54": (LIMIT_EXCEEDED, False),
    "55": (CONFLICT, True),
    "57": (UNAVAILABLE, True),
    "57014": (TIMEOUT, False),
    "58": (UNAVAILABLE, True),
    "08": (UNAVAILABLE, True),
    "08P01": (INVALID, False),
    "0A": (INVALID, False),
    "P0": (INVALID, False),
}
"""By SQLSTATE, or by its class."""


def of_state(state: str) -> Kind:
    """What an SQLSTATE of PostgreSQL is to Lua code."""
    return _BY_STATE.get(state) or _BY_STATE.get(state[:2]) or (INTERNAL, False)


def failed(kind: Kind, message: str, **details: str) -> UnitFailed:
    """A failure of a statement."""
    name, retryable = kind
    return UnitFailed(Failure(name, message, retryable=retryable, details={k: v for k, v in details.items() if v}))


def too_long(seconds: float) -> UnitFailed:
    """A statement that took its time."""
    return UnitFailed(Failure(TIMEOUT, f"the statement was stopped after {seconds:g} s", retryable=False))


def too_many_rows(limit: int) -> UnitFailed:
    """An answer with too many rows."""
    text = f"the answer has more than {limit} rows: take it in parts (LIMIT, and WHERE beyond the last key)"
    return UnitFailed(Failure(LIMIT_EXCEEDED, text, retryable=False))


def too_many_bytes(limit: int) -> UnitFailed:
    """An answer that is too large."""
    text = f"the answer has more than {limit / (1 << 20):.0f} MiB: take it in parts, or fewer columns"
    return UnitFailed(Failure(LIMIT_EXCEEDED, text, retryable=False))


def unreachable(entry_id: str, why: str, *, retryable: bool = True) -> UnitFailed:
    """A database that gives no connection."""
    return UnitFailed(Failure(UNAVAILABLE, f"database '{entry_id}' can't be reached: {why}", retryable=retryable))


def gone(text: str) -> UnitFailed:
    """What a unit names and does not hold any more."""
    return UnitFailed(invalid(text))
