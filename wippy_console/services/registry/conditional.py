"""One entry, replaced or deleted only while it is as the one who asks has seen it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from engine.entry import Entry
from engine.registry.changes import Changes, same
from engine.registry.problems import Problem
from wippy_console import permissions
from wippy_console.models import Version
from wippy_console.services import python_functions
from wippy_console.services.errors import NotFoundError
from wippy_console.services.registry import publishing, reading
from wippy_console.services.registry.refusals import NotAsSeen, StaleBaseError


@dataclass(frozen=True, slots=True)
class Seen:
    """What is said of the entry: that it is as one of these versions made it, that it is there, or that it is not.

    0 is the version of what only code declares.
    """

    versions: Collection[int] = ()
    there: bool = False
    absent: bool = False

    def fits(self, standing: int | None) -> bool:
        """Whether it is so, the entry standing as that version made it, None when it is not there."""
        if standing is None:
            return self.absent
        return not self.absent and (self.there or standing in self.versions)


@dataclass(frozen=True, slots=True)
class Put:
    """The version that made the entry what it is now, whether it was not there before, and what was warned of."""

    version: int
    created: bool
    warnings: Sequence[Problem] = ()


def put(user: User, entry: Entry, seen: Seen, message: str) -> Put:
    """Publish one entry; NotAsSeen, unless it is already as wanted: then this was done before, and its answer lost.

    PermissionDenied; ChangesRefused.
    """
    permissions.require(user, permissions.PUBLISH_VERSION, entry.namespace)
    base = reading.current_number()
    standing, current = _standing(entry.id, base)
    if not seen.fits(standing):
        if standing and not seen.absent and same(current, entry):
            return Put(standing, created=False)
        raise _not_as_seen(entry.id, standing)
    changes = Changes(update=(entry,)) if standing else Changes(create=(entry,))
    made = _published(user, changes, base, message or f"{'Edit' if standing else 'Create'} {entry.id}")
    return Put(reading.made_in([entry.id], made.number)[entry.id], standing is None, made.warnings)


def remove(user: User, entry_id: str, seen: Seen, message: str) -> None:
    """Delete one entry; NotAsSeen, NotFoundError, and what `put` raises."""
    permissions.require(user, permissions.PUBLISH_VERSION, entry_id.partition(":")[0])
    base = reading.current_number()
    standing, _ = _standing(entry_id, base)
    if not standing:
        where = "" if standing is None else " in the registry: code declares it"
        raise NotFoundError(f"There is no entry {entry_id}{where}.")
    if not seen.fits(standing):
        raise _not_as_seen(entry_id, standing)
    _published(user, Changes(delete=(entry_id,)), base, message or f"Delete {entry_id}")


def _standing(entry_id: str, base: int) -> tuple[int | None, Entry | None]:
    """The version that made the entry what it is in version `base`, 0 for what only code declares; and the entry."""
    current = reading.snapshot(base, [entry_id]).get(entry_id)
    if current is None:
        declared = python_functions.entry(entry_id)
        return (None if declared is None else 0), declared
    return reading.made_in([entry_id], base)[entry_id], current


def _published(user: User, changes: Changes, base: int, message: str) -> Version:
    try:
        return publishing.publish(user, changes, base=base, message=message, source=publishing.EDITOR)
    except StaleBaseError as error:
        raise NotAsSeen(error.message) from error


def _not_as_seen(entry_id: str, standing: int | None) -> NotAsSeen:
    if standing is None:
        return NotAsSeen(f"There is no entry {entry_id}.")
    return NotAsSeen(f"{entry_id} is there, as version {standing} made it. Get it, and change what it is now.")
