"""Policies as entries: looking up those of a context, and the groups that they declare (docs/lua.md#policies)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.entry import Entry
from engine.errors import UnitFailed, invalid
from engine.registry.kinds import ACTING, POLICIES
from engine.registry.problems import Problem
from engine.registry.references import resolve
from engine.registry.words import did_you_mean
from engine.security.context import Actor, Policy, Security

Find = Callable[[str], Entry | None]


def policy(policy_id: str, find: Find) -> Policy:
    """The policy of that id; without a definition, so that it denies, when there is none."""
    entry = find(policy_id)
    return Policy(policy_id, definition(entry) if entry is not None else None)


def definition(entry: Entry) -> Mapping[str, Any] | None:
    """What a policy's entry says under `policy`, or None for another entry."""
    found = entry.data.get("policy") if entry.kind in POLICIES else None
    return found if isinstance(found, Mapping) else None


def resolved(security: Security | None, find: Find) -> Security | None:
    """The context with the definitions of its policies."""
    if security is None or not security.scope:
        return security
    return replace(security, scope=tuple(policy(each.id, find) for each in security.scope))


def declared(security: Any, namespace: str, find: Find, every: Callable[[], Iterable[Entry]]) -> Security | None:
    """The context of a `security` block {actor, policies, groups}, or None without one.

    It is whole or not at all: raises UnitFailed (Invalid) for a policy or group that does not exist.
    """
    if not isinstance(security, Mapping) or not security:
        return None
    found = [_existing(resolve(name, namespace), find) for name in security.get("policies") or ()]
    for name in security.get("groups") or ():
        found += _members(resolve(name, namespace), every())
    actor = security.get("actor")
    given = "policies" in security or "groups" in security
    scope = tuple({policy.id: policy for policy in found}.values()) if given else None
    return Security(Actor.from_json(actor) if actor else None, scope)


def _existing(policy_id: str, find: Find) -> Policy:
    found = policy(policy_id, find)
    if found.definition is None:
        raise UnitFailed(invalid(f"policy '{policy_id}' not found"))
    return found


def _members(group_id: str, entries: Iterable[Entry]) -> tuple[Policy, ...]:
    found = group(group_id, entries)
    if not found:
        raise UnitFailed(invalid(f"policy group '{group_id}' not found"))
    return found


def within(inherited: Security | None, own: Security | None) -> Security | None:
    """The context of a unit whose entry declares one: its actor, if it names one, and the policies of both."""
    if inherited is None or own is None:
        return own or inherited
    scope = inherited.scope
    if own.scope is not None:
        scope = tuple({policy.id: policy for policy in (*(inherited.scope or ()), *own.scope)}.values())
    return Security(own.actor or inherited.actor, scope)


def blocks(entry: Entry) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The `security` of an entry that counts, with the field where it stands."""
    lifecycle = entry.data.get("lifecycle")
    found = {
        "lifecycle.security": lifecycle.get("security") if isinstance(lifecycle, Mapping) else None,
        "security": entry.data.get("security") if entry.kind in ACTING else None,
    }
    yield from ((field, block) for field, block in found.items() if isinstance(block, Mapping))


def check(entries: Mapping[str, Entry]) -> Iterator[Problem]:
    """A problem for each group that an entry's security names and no policy is of."""
    known = {name for entry in entries.values() for name in groups(entry)}
    for entry in entries.values():
        for field, security in blocks(entry):
            names = security.get("groups")
            for index, name in enumerate(names if isinstance(names, list) else ()):
                if isinstance(name, str) and resolve(name, entry.namespace) not in known:
                    hint = did_you_mean(resolve(name, entry.namespace), known)
                    where = f"{field}.groups.{index}"
                    yield Problem(f"no policy is of the group `{name}`", entry_id=entry.id, field=where, hint=hint)


def groups(entry: Entry) -> tuple[str, ...]:
    """The groups that a policy belongs to; a bare name is one of the policy's own namespace."""
    names = entry.data.get("groups") if entry.kind in POLICIES else None
    listed = names if isinstance(names, (list, tuple)) else ()
    return tuple(resolve(name, entry.namespace) for name in listed if isinstance(name, str) and name)


def group(group_id: str, entries: Iterable[Entry]) -> tuple[Policy, ...]:
    """The policies of a group by id; none when there is no such group."""
    members = sorted((entry for entry in entries if group_id in groups(entry)), key=lambda entry: entry.id)
    return tuple(Policy(entry.id, definition(entry)) for entry in members)
