"""Reads entries as they stand, or stood, in a registry version."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef, QuerySet

from engine.entry import Entry
from engine.registry import references
from wippy_console.models import Revision, Version
from wippy_console.services import python_functions
from wippy_console.services.errors import NotFoundError


def current_version() -> Version | None:
    """The newest version, None while the registry is empty."""
    return Version.objects.select_related("author").order_by("-number").first()


def current_number() -> int:
    """The number of the newest version, 0 while the registry is empty."""
    return Version.objects.order_by("-number").values_list("number", flat=True).first() or 0


def in_force(number: int) -> int:
    """The version whose entries version `number` holds: its own, or an earlier one that it restored."""
    row = Version.objects.filter(number=number).values_list("restores", flat=True).first()
    return row or number


def version_numbers() -> list[int]:
    """The numbers of all versions, ascending, without those that only restored another."""
    rows = Version.objects.filter(restores=None).order_by("number")
    return list(rows.values_list("number", flat=True))


def latest_versions(limit: int) -> list[Version]:
    """The newest versions, newest first, with their authors at hand."""
    return list(Version.objects.select_related("author")[:limit])


def snapshot(at: int | None = None, ids: Collection[str] | None = None) -> dict[str, Entry]:
    """Entries by id in version `at` (None = the newest), all or those with the given ids."""
    rows = newest_revisions(at).filter(deleted=False)
    if ids is not None:
        rows = rows.filter(entry_id__in=ids)
    return {row.entry_id: as_entry(row) for row in rows}


def newest_revisions(at: int | None = None) -> QuerySet[Revision]:
    """The revision of each entry that counts in version `at`, deletions included, by entry id."""
    newer = Revision.objects.filter(entry_id=OuterRef("entry_id"), version_id__gt=OuterRef("version_id"))
    rows = Revision.objects.all()
    if at is not None:
        newer, rows = newer.filter(version_id__lte=at), rows.filter(version_id__lte=at)
    return rows.filter(~Exists(newer)).order_by("entry_id")


def made_in(ids: Collection[str], at: int | None = None) -> dict[str, int]:
    """Of each entry that is there in version `at` (None = the newest) the version that made it what it is."""
    rows = newest_revisions(at).filter(deleted=False, entry_id__in=ids)
    return dict(rows.values_list("entry_id", "version_id"))


def as_entry(revision: Revision) -> Entry:
    """The entry that a revision made."""
    return Entry(revision.entry_id, revision.kind, revision.meta, revision.data)


def entries(at: int | None = None) -> list[Entry]:
    """All entries in version `at` (None = the newest), by id."""
    return list(snapshot(at).values())


def of_kinds(*kinds: str) -> list[Entry]:
    """The entries of these kinds in the newest version, by id; no others are read, with all their sources."""
    return [as_entry(row) for row in newest_revisions().filter(deleted=False, kind__in=kinds)]


def entry(entry_id: str, at: int | None = None) -> Entry:
    """One entry in version `at` (None = the newest, or else declared by code); NotFoundError when it is not there."""
    found = snapshot(at, [entry_id]).get(entry_id) or (python_functions.entry(entry_id) if at is None else None)
    if found is None:
        where = "" if at is None else f" in version {at}"
        raise NotFoundError(f"There is no entry {entry_id}{where}.")
    return found


def revisions(entry_id: str) -> list[Revision]:
    """Every revision of the entry, deletions included, the newest first, with version and author at hand."""
    rows = Revision.objects.filter(entry_id=entry_id).select_related("version", "version__author")
    return list(rows.order_by("-version_id"))


def tree() -> dict[str, list[Entry]]:
    """The entries of the newest version by namespace; both in alphabetical order."""
    grouped: dict[str, list[Entry]] = {}
    for each in sorted(entries(), key=lambda one: (one.namespace, one.name)):
        grouped.setdefault(each.namespace, []).append(each)
    return grouped


def used_by(entry_id: str) -> list[Entry]:
    """Entries that name this one in a field, or in quotes in their Lua source (a call or spawn by id)."""
    current = snapshot()
    declared = {user.id for user, _ in references.users(entry_id, current)}
    return [each for each in current.values() if each.id in declared or _mentions(each, entry_id)]


def _mentions(each: Entry, entry_id: str) -> bool:
    source = each.data.get("source")
    quoted: Iterable[str] = (f'"{entry_id}"', f"'{entry_id}'")
    return each.id != entry_id and isinstance(source, str) and any(text in source for text in quoted)
