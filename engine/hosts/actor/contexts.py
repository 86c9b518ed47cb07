"""Under whom units run: what entries declare, and what callers hand on."""

from __future__ import annotations

from typing import Any

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.registry.kinds import ACTING, POLICIES
from engine.registry.policies import declared, resolved, within
from engine.security.context import Security


def declared_in(block: Any, namespace: str, catalog: Catalog) -> Security | None:
    """The context of a `security` block, None without one; raises UnitFailed (Invalid) when part of it is missing."""
    return declared(block, namespace, catalog.entry, lambda: _policies(catalog))


def context_of(entry_id: str, inherited: Security | None, catalog: Catalog) -> Security | None:
    """The context of a unit of that entry, policies as they are now; raises UnitFailed (Invalid)."""
    entry = catalog.entry(entry_id)
    own = None
    if entry is not None and entry.kind in ACTING:
        own = declared_in(entry.data.get("security"), entry.namespace, catalog)
    return resolved(within(inherited, own), catalog.entry)


def _policies(catalog: Catalog) -> list[Entry]:
    return [entry for kind in sorted(POLICIES) for entry in catalog.entries(kind)]
