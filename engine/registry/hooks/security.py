"""Under whom an endpoint's function runs: `lifecycle.security` of the service that its router stands below."""

from __future__ import annotations

from collections.abc import Mapping

from engine.registry import contexts
from engine.registry.hooks.route import ENDPOINT, ROUTER, SERVICE
from engine.registry.policies import EntryLookup
from engine.registry.references import resolve
from engine.security.context import Security

_ABOVE = ((ENDPOINT, "router"), (ROUTER, "server"))


def of_endpoint(entry_id: str, entries: EntryLookup) -> Security | None:
    """The context for calls by that endpoint, to which the function's own `security` adds; None when none is declared.

    Raises UnitFailed (Invalid) for a policy or group that does not exist: it is whole or not at all.
    """
    entry = entries.entry(entry_id)
    for kind, field in _ABOVE:
        name = entry.meta.get(field) if entry and entry.kind == kind else None
        entry = entries.entry(resolve(name, entry.namespace)) if entry and isinstance(name, str) and name else None
    if entry is None or entry.kind != SERVICE:
        return None
    lifecycle = entry.data.get("lifecycle")
    return contexts.declared(
        lifecycle.get("security") if isinstance(lifecycle, Mapping) else None, entry.namespace, entries
    )
