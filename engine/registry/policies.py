"""Policies as entries: looking up those of a context, and the groups that they declare (lua-api 12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.entry import Entry
from engine.registry.references import resolve
from engine.security import Policy, Security

KINDS = ("security.policy", "security.policy.expr")

Find = Callable[[str], Entry | None]


def policy(policy_id: str, find: Find) -> Policy:
    """The policy of that id; without a definition, so that it denies, when there is none."""
    entry = find(policy_id)
    return Policy(policy_id, definition(entry) if entry is not None else None)


def definition(entry: Entry) -> Mapping[str, Any] | None:
    """What a policy's entry says under `policy`, or None for another entry."""
    found = entry.data.get("policy") if entry.kind in KINDS else None
    return found if isinstance(found, Mapping) else None


def resolved(security: Security | None, find: Find) -> Security | None:
    """The context with the definitions of its policies."""
    if security is None or not security.scope:
        return security
    return replace(security, scope=tuple(policy(each.id, find) for each in security.scope))


def groups(entry: Entry) -> tuple[str, ...]:
    """The groups that a policy belongs to; a bare name is one of the policy's own namespace."""
    names = entry.data.get("groups") if entry.kind in KINDS else None
    listed = names if isinstance(names, (list, tuple)) else ()
    return tuple(resolve(name, entry.namespace) for name in listed if isinstance(name, str) and name)


def group(group_id: str, entries: Iterable[Entry]) -> tuple[Policy, ...]:
    """The policies of a group by id; none when there is no such group."""
    members = sorted((entry for entry in entries if group_id in groups(entry)), key=lambda entry: entry.id)
    return tuple(Policy(entry.id, definition(entry)) for entry in members)
