"""Services that the kernel asks for within a step: pure functions, the clock and the entropy of the world.

Each takes the decoded arguments and returns a value, or raises UnitFailed with the failure that Lua gets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.errors import INTERNAL, Failure, UnitFailed, ValueRefused, invalid
from engine.lua.services import crypto as services_crypto
from engine.lua.services import hash as services_hash
from engine.lua.services import json as services_json
from engine.lua.services import jwt as services_jwt
from engine.lua.services import msgpack as services_msgpack
from engine.lua.services import security as services_security
from engine.lua.services import uuid as services_uuid
from engine.lua.services import yaml as services_yaml
from engine.lua.services import zone as services_zone
from engine.steps import Identity, Value, World

Service = Callable[..., Value]


def _seed(world: World) -> Value:
    data = world.random_bytes(16)
    return [int.from_bytes(data[:8], "big", signed=True), int.from_bytes(data[8:], "big", signed=True)]


_WORLD: dict[str, Service] = {
    "now": lambda world: world.now(),
    "random.seed": _seed,
    "random.secret": lambda world: world.random_bytes(32),
    "workflow.info": lambda world: world.workflow_info(),
    **services_uuid.WITH_WORLD,
}


_PURE: dict[str, Service] = {
    **services_crypto.SERVICES,
    **services_hash.SERVICES,
    **services_json.SERVICES,
    **services_jwt.SERVICES,
    **services_msgpack.SERVICES,
    **services_security.PURE,
    **services_uuid.PURE,
    **services_yaml.SERVICES,
    **services_zone.SERVICES,
}


def serve(name: str, args: list[Any], world: World, identity: Identity) -> Value:
    """Answer one request; a wrong number of arguments is the Lua caller's mistake."""
    while args and args[-1] is None:
        args = args[:-1]
    try:
        if name in _WORLD:
            return _WORLD[name](world, *args)
        if name in services_security.OF_UNIT:
            return _pure(name, services_security.OF_UNIT[name], (identity, *args))
        return _pure(name, _PURE[name], args)
    except TypeError as error:
        raise UnitFailed(invalid(f"{name}: {error}")) from None


def _pure(name: str, service: Service, args: Sequence[Any]) -> Value:
    """Whatever else is raised came of Lua's arguments: it is the unit's failure, and no bug that stops its host."""
    try:
        return service(*args)
    except (UnitFailed, ValueRefused, TypeError):
        raise
    except Exception as error:
        message = f"{name}: {type(error).__name__}: {str(error)[:300]}"
        raise UnitFailed(Failure(INTERNAL, message, retryable=False)) from error
