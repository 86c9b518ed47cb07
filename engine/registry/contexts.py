"""Under whom units run: the security contexts that entries declare (docs/lua.md#security)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.entry import Entry
from engine.errors import UnitFailed, invalid
from engine.registry import policies
from engine.registry.kinds import ACTING
from engine.registry.policies import EntryLookup
from engine.registry.problems import Problem
from engine.registry.references import resolve
from engine.registry.words import did_you_mean
from engine.security.context import Actor, Policy, Security, within


def context_of(entry_id: str, inherited: Security | None, entries: EntryLookup) -> Security | None:
    """The context of a unit of that entry, policies as they are now; raises UnitFailed (Invalid)."""
    entry = entries.entry(entry_id)
    own = None
    if entry is not None and entry.kind in ACTING:
        own = declared(entry.data.get("security"), entry.namespace, entries)
    return policies.resolved(within(inherited, own), entries.entry)


def declared(security: Any, namespace: str, entries: EntryLookup) -> Security | None:
    """The context of a `security` block {actor, policies, groups}, or None without one.

    It is whole or not at all: raises UnitFailed (Invalid) for a policy or group that does not exist.
    """
    if not isinstance(security, Mapping) or not security:
        return None
    found = [_policy(resolve(name, namespace), entries) for name in security.get("policies") or ()]
    for name in security.get("groups") or ():
        found += _group(resolve(name, namespace), entries)
    actor = security.get("actor")
    given = "policies" in security or "groups" in security
    scope = tuple({policy.id: policy for policy in found}.values()) if given else None
    return Security(Actor.from_json(actor) if actor else None, scope)


def _policy(policy_id: str, entries: EntryLookup) -> Policy:
    found = policies.policy(policy_id, entries.entry)
    if found.definition is None:
        raise UnitFailed(invalid(f"policy '{policy_id}' not found"))
    return found


def _group(group_id: str, entries: EntryLookup) -> tuple[Policy, ...]:
    found = policies.group(group_id, entries)
    if not found:
        raise UnitFailed(invalid(f"policy group '{group_id}' not found"))
    return found


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
    known = {name for entry in entries.values() for name in policies.groups(entry)}
    for entry in entries.values():
        for field, security in blocks(entry):
            names = security.get("groups")
            for index, name in enumerate(names if isinstance(names, list) else ()):
                if isinstance(name, str) and resolve(name, entry.namespace) not in known:
                    hint = did_you_mean(resolve(name, entry.namespace), known)
                    where = f"{field}.groups.{index}"
                    yield Problem(f"no policy is of the group `{name}`", entry_id=entry.id, field=where, hint=hint)
