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
from wippy_console.database.folding import folded
from wippy_console.database.storable import storable_text
from wippy_console.models import Revision, Version
from wippy_console.permissions import EVERYWHERE, Scope
from wippy_console.services import cursors, grants, python_functions
from wippy_console.services.errors import NotFoundError, Refused
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


def matches(entry: Entry, text: str, kind: str) -> bool:
    """Whether an entry passes the filters of the registry's list."""
    texts = folded(f"{entry.id} {entry.meta.get('title', '')} {entry.meta.get('description', '')}")
    return folded(text) in texts and (not kind or entry.kind == kind)


def found_for(
    user: Any, *, text: str = "", kind: str = "", namespace: str = "", after: str = "", limit: int
) -> tuple[list[tuple[Entry, int]], str]:
    """Entries that the user may see, by id, each with the version that made it so (0: only code declares it).

    `namespace` may be a pattern (`shop.*`); `after` is the cursor of the page before; the second value is the next.
    """
    within = Scope((namespace,)) if namespace else EVERYWHERE
    begin = cursors.place_of(after, 1)[0] if after else ""
    found = [
        each
        for each in entries_for(user)
        if each.id > begin and within.covers(each.namespace) and matches(each, text, kind)
    ]
    page = found[:limit]
    made = reading.made_in([each.id for each in page])
    return [(each, made.get(each.id, 0)) for each in page], cursors.made(page[-1].id) if len(found) > limit else ""


def version_for(user: Any, number: int) -> Version:
    """A version that changed an entry that the user may see; NotFoundError."""
    found = versions_for(user).filter(number=number).first()
    if found is None:
        raise NotFoundError(f"There is no version {number} of the registry.")
    return found


def versions_listed(user: Any, *, entry: str = "", after: str, limit: int) -> tuple[list[Version], str]:
    """Versions after a cursor, newest first, of an entry or of all; and the next cursor, or ""."""
    rows = versions_for(user)
    if entry:
        rows = rows.filter(Exists(Revision.objects.filter(version=OuterRef("pk"), entry_id=entry)))
    if entry and not sees(user, entry):
        rows = rows.none()
    if after:
        rows = rows.filter(number__lt=_number(cursors.place_of(after, 1)[0]))
    found = list(rows[: limit + 1])
    return found[:limit], cursors.made(str(found[limit - 1].number)) if len(found) > limit else ""


def revisions_listed(
    user: Any, version: Version, *, after: str, limit: int
) -> tuple[list[tuple[Revision, Entry | None]], str]:
    """What a version made of entries that the user may see, each with how it stood before, by id; the next cursor."""
    rows = grants.narrowed(version.revisions.all(), user, permissions.VIEW_REGISTRY, entry="entry_id")
    if after:
        rows = rows.filter(entry_id__gt=storable_text(cursors.place_of(after, 1)[0]))
    found = list(rows.order_by("entry_id")[: limit + 1])
    page = found[:limit]
    before = reading.snapshot(version.number - 1, [each.entry_id for each in page])
    cursor = cursors.made(page[-1].entry_id) if len(found) > limit else ""
    return [(each, before.get(each.entry_id)) for each in page], cursor


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise Refused(cursors.DAMAGED)
    return int(text)


def versions_for(user: Any) -> QuerySet[Version]:
    """The versions that changed an entry that the user may see, newest first."""
    rows = Version.objects.select_related("author").order_by("-number")
    scope = permissions.scope(user, permissions.VIEW_REGISTRY)
    if scope.everywhere:
        return rows
    seen = grants.narrowed(Revision.objects.all(), user, permissions.VIEW_REGISTRY, entry="entry_id")
    return rows.filter(Exists(seen.filter(version=OuterRef("pk"))))
