"""What callers gave, checked before the database is touched: Invalid names the parameter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.errors import LIMIT_EXCEEDED, UnitFailed
from engine.hosts.python import values
from wippy_console.sdk.errors import Invalid, LimitExceeded
from wippy_console.services import exact

MOST = 2 * 1024 * 1024 - 32 * 1024


def text(name: str, value: Any, longest: int, *, needed: bool = False) -> str:
    """A text that every database takes."""
    if not isinstance(value, str):
        raise Invalid(f"{name}: must be a text, not {type(value).__name__}")
    found = str.__str__(value)
    if needed and not found:
        raise Invalid(f"{name}: must not be empty")
    if len(found) > longest:
        raise Invalid(f"{name}: has {len(found):,} characters, the limit is {longest:,}")
    if fault := exact.text_fault(found):
        raise Invalid(f"{name}: {fault}")
    return found


def workflow_id(name: str, value: Any, *, needed: bool = True) -> str:
    """The id of a workflow."""
    found = text(name, value, 1000, needed=needed)
    if found != found.strip():
        raise Invalid(f"{name}: must not begin or end with a space")
    return found


def user(value: Any) -> Any:
    """A user of the database, or None."""
    if value is not None and (getattr(value, "pk", None) is None or not hasattr(value, "get_username")):
        raise Invalid(f"user: must be a user that is saved, not {type(value).__name__}")
    return value


def plain(name: str, given: Sequence[Any]) -> list[Any]:
    """Values that cross to Lua, and come back from every database as they are."""
    try:
        found = values.outgoing(list(given), MOST, name)
    except UnitFailed as error:
        kind = LimitExceeded if error.failure.kind == LIMIT_EXCEEDED else Invalid
        raise kind(error.failure.message) from error
    assert isinstance(found, list)
    for path, fault in exact.faults(found):
        raise Invalid(f"{_place(name, path)}: {fault}")
    _refuse_large(name, found)
    return found


def _refuse_large(name: str, found: list[Any]) -> None:
    try:
        size = len(json.dumps(found, ensure_ascii=False, allow_nan=False).encode())
    except TypeError as error:
        raise Invalid(f"{name}: bytes can't cross here: write them as text, such as base64") from error
    if size > MOST:
        raise LimitExceeded(f"{name}: {size:,} bytes, the limit is {MOST:,}")


def _place(name: str, path: exact.Path) -> str:
    return name + "".join(f"[{step}]" if isinstance(step, int) else f".{step}"[:100] for step in path)
