"""Service requests: what the kernel asks of Python within a step (`k.service`), and who answers.

Every file of `engine/lua/services` is found by itself. It offers handlers by name in `PURE`; in `WITH_WORLD` those that
get the clock and the entropy of the unit before the arguments; in `WITH_IDENTITY` those that get who the unit is.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from engine.errors import INTERNAL, Failure, UnitFailed, ValueRefused, invalid
from engine.lua import services
from engine.steps import Identity, Value, World

RequestHandler = Callable[..., Value]
"""Given the decoded arguments, the value; or raises UnitFailed with the failure that Lua gets."""

_FILES = [import_module(f"{services.__name__}.{found.name}") for found in pkgutil.iter_modules(services.__path__)]


def _offered(table: str) -> dict[str, RequestHandler]:
    return {name: handler for file in _FILES for name, handler in getattr(file, table, {}).items()}


_PURE, _WITH_WORLD, _WITH_IDENTITY = map(_offered, ("PURE", "WITH_WORLD", "WITH_IDENTITY"))


def answered(name: str, args: list[Any], world: World, identity: Identity) -> Value:
    """Answer one request; a wrong number of arguments is the Lua caller's mistake."""
    while args and args[-1] is None:
        args = args[:-1]
    try:
        if name in _WITH_WORLD:
            return _WITH_WORLD[name](world, *args)
        if name in _WITH_IDENTITY:
            return _guarded(name, _WITH_IDENTITY[name], (identity, *args))
        return _guarded(name, _PURE[name], args)
    except TypeError as error:
        raise UnitFailed(invalid(f"{name}: {error}")) from None


def _guarded(name: str, handler: RequestHandler, args: Sequence[Any]) -> Value:
    """Whatever else is raised came of Lua's arguments: it is the unit's failure, and no bug that stops its host."""
    try:
        return handler(*args)
    except (UnitFailed, ValueRefused, TypeError):
        raise
    except Exception as error:
        message = f"{name}: {type(error).__name__}: {str(error)[:300]}"
        raise UnitFailed(Failure(INTERNAL, message, retryable=False)) from error
