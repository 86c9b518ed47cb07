"""What of the registry a user may see: the entries of the namespaces where the right counts."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from engine.entry import Entry, namespace_of
from wippy_console import permissions
from wippy_console.models import Revision, Version
from wippy_console.services import grants
from wippy_console.services.errors import NotFoundError
from wippy_console.services.registry import reading, titles


def sees(user: Any, entry_id: str) -> bool:
    """Whether the user may see the entry, if it is there."""
    return permissions.allows(user, permissions.VIEW_REGISTRY, namespace_of(entry_id))


def entries_for(user: Any) -> list[Entry]:
    """The entries that the user may see, by id."""
    scope = permissions.scope(user, permissions.VIEW_REGISTRY)
    return [] if scope.nowhere else [each for each in reading.entries() if scope.covers(each.namespace)]


def entry_for(user: Any, entry_id: str, at: int | None = None) -> Entry:
    """One of them, now or in version `at`; NotFoundError also for what the user may not see."""
    if not sees(user, entry_id):
        raise NotFoundError(f"There is no entry {entry_id}.")
    return reading.entry(entry_id, at)


def workflows_for(user: Any, permission: str = permissions.VIEW_RUN) -> list[tuple[str, str]]:
    """(id, title or else id) of the workflows of the namespaces where the user holds the right."""
    scope = permissions.scope(user, permission)
    return [each for each in titles.workflows() if scope.covers(namespace_of(each[0]))]


def used_by_for(user: Any, entry_id: str) -> list[Entry]:
    """Those that name this one and that the user may see."""
    return [each for each in reading.used_by(entry_id) if sees(user, each.id)]


def versions_for(user: Any) -> QuerySet[Version]:
    """The versions that changed an entry that the user may see, newest first."""
    rows = Version.objects.select_related("author").order_by("-number")
    scope = permissions.scope(user, permissions.VIEW_REGISTRY)
    if scope.everywhere:
        return rows
    seen = grants.narrowed(Revision.objects.all(), user, permissions.VIEW_REGISTRY, entry="entry_id")
    return rows.filter(Exists(seen.filter(version=OuterRef("pk"))))
