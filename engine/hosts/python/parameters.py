"""Arguments of Python functions: plain data, and where a parameter is annotated so, dataclasses, Decimals and times."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from engine.errors import UnitFailed, invalid
from engine.steps import Value

_PARSED: Mapping[Any, tuple[Callable[[Any], Any], str]] = {
    datetime: (datetime.fromisoformat, "a time such as 2026-11-28T12:00:00Z"),
    date: (date.fromisoformat, "a date such as 2026-11-28"),
    time: (time.fromisoformat, "a time of day such as 12:00"),
    UUID: (UUID, "a UUID"),
}

_PLAIN: Mapping[type, str] = {str: "text", int: "a whole number", float: "a number", bool: "a boolean"}


def built(function: Callable[..., Any], entry: str, args: Sequence[Value]) -> tuple[Any, ...]:
    """The arguments after `ctx` as the function's annotations want them; raises UnitFailed (Invalid)."""
    signature = inspect.signature(function)
    try:
        bound = signature.bind(None, *args)
    except TypeError as error:
        raise UnitFailed(invalid(f"{entry} takes {_shown(signature)}: {error}")) from None
    hints = _hints(function)
    wanted = [each for each in signature.parameters.values() if each.name in bound.arguments][1:]
    names = [name for each in wanted for name in _names(each, bound.arguments)]
    return tuple(_build(hints.get(name), arg, name) for name, arg in zip(names, args, strict=False))


def _names(parameter: inspect.Parameter, given: Mapping[str, Any]) -> list[str]:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return [parameter.name] * len(given[parameter.name])
    return [parameter.name]


def _shown(signature: inspect.Signature) -> str:
    return f"({', '.join(signature.parameters)})"


@lru_cache(maxsize=4096)
def _hints(owner: Any) -> Mapping[str, Any]:
    """The annotations; those of names that can't be found say nothing."""
    target = owner if inspect.isroutine(owner) or isinstance(owner, type) else type(owner).__call__
    try:
        return typing.get_type_hints(target)
    except Exception:
        return {}


def _build(hint: Any, value: Value, path: str) -> Any:
    if value is None or hint is None:
        return value
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [each for each in typing.get_args(hint) if each is not type(None)]
        return _build(inner[0], value, path) if len(inner) == 1 else value
    if origin in (list, tuple, dict):
        return _container(origin, typing.get_args(hint), value, path)
    return _single(hint, value, path) if isinstance(hint, type) else value


def _container(origin: Any, inner: tuple[Any, ...], value: Value, path: str) -> Any:
    if origin is dict:
        table = _table(value, path)
        return {key: _build(inner[-1] if inner else None, item, f"{path}.{key}") for key, item in table.items()}
    if not isinstance(value, list | tuple):
        raise _wrong(path, "a list", value)
    hint = inner[0] if inner and (origin is list or inner[1:] == (...,)) else None
    return origin(_build(hint, item, f"{path}[{index}]") for index, item in enumerate(value))


def _single(hint: type, value: Value, path: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, value, path)
    if hint is dict:
        return _table(value, path)
    if hint is Decimal:
        return _decimal(value, path)
    if issubclass(hint, Enum):
        return _member(hint, value, path)
    if hint in _PARSED:
        return _parsed(hint, value, path)
    return _plain(hint, value, path) if hint in _PLAIN else value


def _plain(hint: type, value: Value, path: str) -> Any:
    """Lua writes whole numbers as floats after a division; a boolean is no number."""
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    taken = (int, float) if hint is float else hint
    if isinstance(value, taken) and (hint is bool or not isinstance(value, bool)):
        return value
    if hint is int and isinstance(value, float):
        raise UnitFailed(invalid(f"{path}: must be a whole number, not one with a fraction"))
    raise _wrong(path, _PLAIN[hint], value)


def _dataclass(hint: Any, value: Value, path: str) -> Any:
    table, hints = _table(value, path), _hints(hint)
    fields = {each.name: each for each in dataclasses.fields(hint) if each.init}
    for name in table:
        if name not in fields:
            raise UnitFailed(invalid(f"{path}.{name}: {hint.__name__} has no such field"))
    for name, each in fields.items():
        if name not in table and each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise UnitFailed(invalid(f"{path}.{name}: is missing"))
    given = {name: _build(hints.get(name), item, f"{path}.{name}") for name, item in table.items()}
    try:
        return hint(**given)
    except (TypeError, ValueError) as error:
        raise UnitFailed(invalid(f"{path}: {error}")) from error


def _table(value: Value, path: str) -> Mapping[Any, Value]:
    """An empty table of Lua comes as an empty list."""
    if isinstance(value, Mapping):
        return value
    if value in ([], ()):
        return {}
    raise _wrong(path, "a mapping", value)


def _decimal(value: Value, path: str) -> Decimal:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            found = Decimal(str(value))
            if found.is_finite():
                return found
    except InvalidOperation:
        pass
    raise _wrong(path, "a decimal number", value)


def _member(hint: Any, value: Value, path: str) -> Any:
    try:
        return hint(value)
    except ValueError:
        if isinstance(value, str) and value in hint.__members__:
            return hint[value]
    raise _wrong(path, f"one of {', '.join(hint.__members__)}", value)


def _parsed(hint: Any, value: Value, path: str) -> Any:
    parse, wanted = _PARSED[hint]
    try:
        if isinstance(value, str):
            return parse(value)
    except ValueError:
        pass
    raise _wrong(path, wanted, value)


def _wrong(path: str, wanted: str, value: Value) -> UnitFailed:
    names = {str: "text", bytes: "bytes", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return UnitFailed(invalid(f"{path}: must be {wanted}, not {names.get(type(value), 'a mapping')}"))
