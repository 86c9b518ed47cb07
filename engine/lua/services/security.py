"""Permission checks and the evaluation of policies for Lua (docs/lua.md#security)."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import UnitFailed, invalid
from engine.security.conditions import Request
from engine.security.context import Policy, Security, as_mapping, evaluate, is_permitted
from engine.security.rules import DENY
from engine.steps import Identity, Value


def security_value(security: Security | None) -> Value:
    """The context as a unit gets it: {actor: {id, meta}, scope: [{id, definition}]}, or None for none."""
    if security is None:
        return None
    scope = security.scope
    return {
        "actor": security.actor.to_json() if security.actor else None,
        "scope": None if scope is None else [policy.to_value() for policy in scope],
    }


def check(identity: Identity, action: Value, resource: Value, meta: Value = None) -> bool:
    """Whether the unit may; never for names that are not text, which no policy can mean."""
    named = isinstance(action, str) and isinstance(resource, str)
    return named and is_permitted(identity.security, identity.strict, action, resource, as_mapping(meta))


def evaluated(policies: Value, actor: Value, action: Value, resource: Value, meta: Value = None) -> str:
    """What policies ({id, definition}) say of an actor's ({id, meta}) action."""
    if not isinstance(action, str) or not isinstance(resource, str):
        return DENY
    request = Request(as_mapping(actor), action, resource, as_mapping(meta))
    return evaluate(map(Policy.from_value, policies), request)


def actor(actor_id: Value, meta: Value = None) -> Value:
    """A new actor: {id, meta}. The way through here has copied the meta, and left out what can't cross to callees."""
    if not isinstance(actor_id, str) or not actor_id:
        raise UnitFailed(invalid("an actor's id must be text"))
    return {"id": actor_id, "meta": dict(as_mapping(meta))}


WITH_IDENTITY: dict[str, Callable[..., Value]] = {"security.check": check}
PURE: dict[str, Callable[..., Value]] = {"security.evaluate": evaluated, "security.actor": actor}
