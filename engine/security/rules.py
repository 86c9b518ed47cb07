"""What one policy says of a request: patterns of actions and resources, conditions, an effect (docs/lua.md#policies).

What can't be decided (a pattern that could take too long) counts against the request, whatever the effect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.bounded.errors import TooCostlyError
from engine.bounded.globs import glob
from engine.security.conditions import BadPolicyError, Condition, Request
from engine.security.expressions import Expression

ALLOW, DENY, UNDEFINED = "allow", "deny", "undefined"


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy that was read: patterns in which `*` stands for any text, an effect, conditions that all must hold."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    effect: str
    conditions: tuple[Condition | Expression, ...] = ()

    @classmethod
    def read(cls, definition: Mapping[str, Any]) -> Rule:
        """The rule that `policy` of an entry describes; raises BadPolicyError."""
        effect = definition.get("effect")
        if effect not in (ALLOW, DENY):
            raise BadPolicyError("is allow or deny", "effect")
        conditions = definition.get("conditions") or ()
        if not isinstance(conditions, (list, tuple)):
            raise BadPolicyError("must be a list", "conditions")
        read: list[Condition | Expression] = [
            Condition.read(item, f"conditions.{index}") for index, item in enumerate(conditions)
        ]
        if "expression" in definition:
            read.append(Expression.read(definition["expression"], "expression"))
        return cls(_patterns(definition, "actions"), _patterns(definition, "resources"), effect, tuple(read))

    def verdict(self, request: Request) -> str:
        """Its effect when it applies, else undefined."""
        if not _any_matches(self.actions, request.action) or not _any_matches(self.resources, request.resource):
            return UNDEFINED
        try:
            return self.effect if all(condition.holds(request) for condition in self.conditions) else UNDEFINED
        except (re.error, TooCostlyError):
            return DENY if self.effect == DENY else UNDEFINED


def _patterns(definition: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = definition.get(name)
    found = value if isinstance(value, (list, tuple)) else [value]
    if not found or not all(isinstance(item, str) and item for item in found):
        raise BadPolicyError("must be text, or a list of texts", name)
    return tuple(found)


def _any_matches(found: tuple[str, ...], text: str) -> bool:
    return any(glob(pattern, text) for pattern in found)
