"""Policies as entries: one by its id, those of a context, those of a group (docs/lua.md#policies)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from engine.entry import Entry
from engine.registry.kinds import POLICIES
from engine.registry.references import resolve
from engine.security.context import Policy, Security

Find = Callable[[str], Entry | None]


class EntryLookup(Protocol):
    """Entries of one version by id and by kind, as `engine.contracts.catalog.Catalog` has them."""

    def entry(self, entry_id: str) -> Entry | None:
        """The entry, or None."""
        ...

    def entries(self, kind: str) -> Sequence[Entry]:
        """All entries of one kind."""
        ...


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


def groups(entry: Entry) -> tuple[str, ...]:
    """The groups that a policy belongs to; a bare name is one of the policy's own namespace."""
    names = entry.data.get("groups") if entry.kind in POLICIES else None
    listed = names if isinstance(names, (list, tuple)) else ()
    return tuple(resolve(name, entry.namespace) for name in listed if isinstance(name, str) and name)


def group(group_id: str, entries: EntryLookup) -> tuple[Policy, ...]:
    """The policies of a group by id; none when there is no such group."""
    every = (entry for kind in POLICIES for entry in entries.entries(kind))
    members = sorted((entry for entry in every if group_id in groups(entry)), key=lambda entry: entry.id)
    return tuple(Policy(entry.id, definition(entry)) for entry in members)
