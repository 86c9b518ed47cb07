"""Security contexts: who acts, under which policies, and what these say of an action.

See docs/rights.md#whom-units-act-for.

Between units and on the wire a context is by reference: its policies are ids. A host looks them up when a unit
starts. A policy that can't be found or read denies whatever is asked: it may have been the one that forbids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.security.conditions import BadPolicyError, Request
from engine.security.rules import ALLOW, DENY, UNDEFINED, Rule


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf a unit runs. `meta` is what conditions read as `actor.meta.*`."""

    id: str
    meta: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """{id, meta}."""
        return {"id": self.id, "meta": dict(self.meta)}

    @classmethod
    def from_json(cls, data: Any) -> Actor:
        """The inverse of `to_json`; raises ValueError."""
        if not isinstance(data, Mapping) or not isinstance(data.get("id"), str):
            raise ValueError("an actor must have an id")
        return cls(data["id"], as_mapping(data.get("meta")))


@dataclass(frozen=True)
class Policy:
    """A policy. `definition` is what its entry says under `policy`; None by reference, and when there is none."""

    id: str
    definition: Mapping[str, Any] | None = None

    @cached_property
    def rule(self) -> Rule | None:
        """The definition as a rule, or None when it can't be read."""
        try:
            return Rule.read(self.definition) if self.definition is not None else None
        except BadPolicyError:
            return None

    def to_value(self) -> dict[str, Any]:
        """The policy as Lua gets it: {id, definition}."""
        return {"id": self.id, "definition": self.definition}

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> Policy:
        """The inverse of `to_value`."""
        return cls(value["id"], value.get("definition"))

    def verdict(self, request: Request) -> str:
        """allow, deny or undefined."""
        return self.rule.verdict(request) if self.rule else DENY


@dataclass(frozen=True, slots=True)
class Security:
    """A context; None stands for what it does not have. An empty scope is a scope, which allows nothing."""

    actor: Actor | None = None
    scope: tuple[Policy, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """By reference: {actor: {id, meta}, scope: [policy ids in order]}, without what it does not have."""
        actor = {} if self.actor is None else {"actor": self.actor.to_json()}
        return actor if self.scope is None else {**actor, "scope": [policy.id for policy in self.scope]}

    @classmethod
    def from_json(cls, data: Any) -> Security | None:
        """The inverse of `to_json`; None for nothing at all. Raises ValueError for what is no context."""
        if not data:
            return None
        if not isinstance(data, Mapping):
            raise ValueError("a security context must be a table")
        actor, scope = data.get("actor"), data.get("scope")
        return cls(None if actor is None else Actor.from_json(actor), None if scope is None else _policies(scope))


def within(inherited: Security | None, own: Security | None) -> Security | None:
    """The context of a unit whose entry declares one: its actor, if it names one, and the policies of both."""
    if inherited is None or own is None:
        return own or inherited
    scope = inherited.scope
    if own.scope is not None:
        scope = tuple({policy.id: policy for policy in (*(inherited.scope or ()), *own.scope)}.values())
    return Security(own.actor or inherited.actor, scope)


def evaluate(policies: Iterable[Policy], request: Request) -> str:
    """deny when any policy denies, else allow when any allows, else undefined."""
    verdicts = {policy.verdict(request) for policy in policies}
    if DENY in verdicts:
        return DENY
    return ALLOW if ALLOW in verdicts else UNDEFINED


def is_permitted(
    security: Security | None, strict: bool, action: str, resource: str, meta: Mapping[str, Any] | None = None
) -> bool:
    """Whether a unit may: its scope must allow it; without actor or scope it may, unless the node is strict."""
    if security is None or security.actor is None or security.scope is None:
        return not strict
    request = Request(security.actor.to_json(), action, resource, as_mapping(meta))
    return evaluate(security.scope, request) == ALLOW


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one (an empty Lua table arrives as an empty list)."""
    return value if isinstance(value, Mapping) else {}


def _policies(scope: Any) -> tuple[Policy, ...]:
    if not isinstance(scope, (list, tuple)) or not all(isinstance(item, str) for item in scope):
        raise ValueError("a scope must be a list of policy ids")
    return tuple(map(Policy, scope))
