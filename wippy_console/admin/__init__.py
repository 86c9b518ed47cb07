"""The Django admin of every model: everybody sees what their permissions say, nobody changes what services wrote."""

from wippy_console.admin import (
    access,
    audit,
    batches,
    decisions,
    drafts,
    feed,
    fleet,
    grants,
    imported,
    lists,
    notifications,
    outgoing,
    people,
    registry,
    runs,
    tokens,
)

__all__ = [
    "access",
    "audit",
    "batches",
    "decisions",
    "drafts",
    "feed",
    "fleet",
    "grants",
    "imported",
    "lists",
    "notifications",
    "outgoing",
    "people",
    "registry",
    "runs",
    "tokens",
]
