"""Reading the table that a request or an answer between nodes is; what does not fit is Invalid, by the field's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio.api.common.v1 import Payload

from engine.errors import UnitFailed, invalid
from engine.hosts.temporal.wire import payloads
from engine.security.context import Security
from engine.steps import Value

Fields = Mapping[str, Any]


def table_in(payload: Payload, what: str) -> Fields:
    """The table in a payload; `what` names it in the failure."""
    value = payloads.decode(payload)
    if not isinstance(value, Mapping):
        raise UnitFailed(invalid(f"{what} must be a table"))
    return value


def text(fields: Fields, name: str) -> str:
    """Text that must be there."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise UnitFailed(invalid(f"{name} must be a string"))
    return value


def optional_text(fields: Fields, name: str) -> str:
    """Text that may be missing: ""."""
    return text(fields, name) if fields.get(name) else ""


def integer(fields: Fields, name: str) -> int:
    """An integer that must be there."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnitFailed(invalid(f"{name} must be an integer"))
    return value


def items(fields: Fields, name: str) -> tuple[Value, ...]:
    """A list that may be missing: ()."""
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise UnitFailed(invalid(f"{name} must be a list"))
    return tuple(value)


def texts(fields: Fields, name: str) -> tuple[str, ...]:
    """A list of texts that may be missing: ()."""
    values = items(fields, name)
    if not all(isinstance(value, str) for value in values):
        raise UnitFailed(invalid(f"{name} must be a list of strings"))
    return values


def table(fields: Fields, name: str) -> Fields:
    """A table that may be missing: {}. An empty one of Lua comes as an empty list."""
    value = fields.get(name) or {}
    if not isinstance(value, Mapping):
        raise UnitFailed(invalid(f"{name} must be a table"))
    return value


def security(fields: Fields) -> Security | None:
    """The context in the field `security`, by reference."""
    try:
        return Security.from_json(fields.get("security"))
    except ValueError as error:
        raise UnitFailed(invalid(f"security: {error}")) from error
