"""What of the registry a user may see: the entries of the namespaces where the right counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from engine.entry import Entry, namespace_of
from engine.registry.problems import Problem
from wippy_console import permissions
from wippy_console.models import Revision, Version
from wippy_console.services import grants, python_functions
from wippy_console.services.errors import NotFoundError
from wippy_console.services.registry import reading, titles

OUTSIDE = "an entry outside of your namespaces"
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*:[A-Za-z0-9_](?:[A-Za-z0-9_./-]*[A-Za-z0-9_/-])?")


def sees(user: Any, entry_id: str) -> bool:
    """Whether the user may see the entry, if it is there."""
    return permissions.allows(user, permissions.VIEW_REGISTRY, namespace_of(entry_id))


def entries_for(user: Any) -> list[Entry]:
    """The entries that the user may see, those that only code declares among them, by id."""
    scope = permissions.scope(user, permissions.VIEW_REGISTRY)
    if scope.nowhere:
        return []
    found = {each.entry.id: each.entry for each in python_functions.declared()} | reading.snapshot()
    return [found[entry_id] for entry_id in sorted(found) if scope.covers(found[entry_id].namespace)]


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


def told(user: Any, problems: Iterable[Problem], known: Collection[str]) -> tuple[Problem, ...]:
    """The problems, without the names of those known entries that the user may not see."""
    if permissions.scope(user, permissions.VIEW_REGISTRY).everywhere:
        return tuple(problems)
    return tuple(_told(each, lambda name: name in known and not sees(user, name)) for each in problems)


def _told(problem: Problem, is_hidden: Callable[[str], bool]) -> Problem:
    if is_hidden(problem.entry_id):
        return Problem(f"{OUTSIDE} would no longer be sound", severity=problem.severity)
    message = _ID.sub(lambda found: OUTSIDE if is_hidden(found[0]) else found[0], problem.message)
    hint = "" if any(map(is_hidden, _ID.findall(problem.hint))) else problem.hint
    return replace(problem, message=message, hint=hint)


def versions_for(user: Any) -> QuerySet[Version]:
    """The versions that changed an entry that the user may see, newest first."""
    rows = Version.objects.select_related("author").order_by("-number")
    scope = permissions.scope(user, permissions.VIEW_REGISTRY)
    if scope.everywhere:
        return rows
    seen = grants.narrowed(Revision.objects.all(), user, permissions.VIEW_REGISTRY, entry="entry_id")
    return rows.filter(Exists(seen.filter(version=OuterRef("pk"))))
