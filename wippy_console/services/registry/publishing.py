"""Publishes changes: validated as a whole, then written as one immutable version in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from engine.check import check_source
from engine.contracts.registry import Author
from engine.entry import Entry, namespace_of
from engine.registry import changes as changing
from engine.registry import kinds, placeholders, references
from engine.registry.changes import Changes
from engine.registry.guarded import KINDS as GUARDED
from engine.registry.guarded import forbidden_to_lua, guarded, naming_python
from engine.registry.hooks import check as hooks
from engine.registry.imports import importers
from engine.registry.linking import link
from engine.registry.problems import Problem, errors_in, warnings_in
from engine.registry.validate import validate
from wippy_console import permissions
from wippy_console.database.locks import lock_for_transaction
from wippy_console.database.storable import storable_text
from wippy_console.env import variables_for_entries
from wippy_console.models import Program, Revision, Version
from wippy_console.services import audit, business_keys, feed, python_functions
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.registry import reading, seeing
from wippy_console.services.registry.refusals import ChangesRefused, ForbiddenError, StaleBaseError

APPLY, EDITOR, LUA = "apply", "editor", "lua"
NO_VERSION = "There is no version {} of the registry."
MAX_FEED_IDS = 200
MAX_LISTED = 1000
MAX_NOTED = 100
# Where they are not set, this installation's own (wippy_console.services.temporal).
ALWAYS_SET = ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE")
_OVER_CODE = (
    "Code declares {0}, and an entry there would get its calls: you may not publish function.python entries. Choose"
    " another name, or ask who may; once the declaration is gone from the code, the name is free."
)
_Entries = Mapping[str, Entry]
_LOCK = 0x57524547  # "WREG": publishers wait for each other, so that version numbers have no gaps and no rivals


@dataclass(frozen=True, slots=True)
class _Publisher:
    """Who publishes, and what they say: a user, or a unit of Lua, which has none."""

    user: User | None
    message: str
    source: str
    unit: Author | None = None
    restores: int | None = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Changes fitted to version `number`, what the registry holds after them, and what is wrong with that."""

    number: int
    changes: Changes
    after: Mapping[str, Entry]
    problems: tuple[Problem, ...]

    @property
    def known(self) -> frozenset[str]:
        """The ids that are there after the changes, or that they delete."""
        return frozenset((*self.after, *self.changes.touched))


def publish(user: User, changes: Changes, *, base: int | None, message: str, source: str = APPLY) -> Version:
    """Make one version of the changes, or refuse them with every problem.

    `base` is the version that the changes were made on: an entry that was changed since by somebody else is a
    conflict, one that already is as wanted drops out; None skips this check.
    When nothing is left to change, the current version is returned.
    """
    permissions.require(user, permissions.PUBLISH_VERSION)
    for entry_id in changes.touched:  # before anything is told of what stands there
        permissions.require(user, permissions.PUBLISH_VERSION, namespace_of(entry_id))
    return _publish(_Publisher(user, message, source), changes, base)


def publish_from_lua(unit: Author, changes: Changes, *, base: int) -> Version:
    """The same for a unit: no user stands behind it, so what carries credentials or rights is forbidden to it."""
    return _publish(_Publisher(None, f"by {unit.entry}", LUA, unit), changes, base)


def restore_from_lua(unit: Author, number: int) -> Version:
    """Make a version of what version `number` held: that one is in force again, whatever changed since."""
    newest, earlier, changes = _back_to(number)
    publisher = _Publisher(None, f"by {unit.entry}: version {earlier} again", LUA, unit, earlier)
    return _publish(publisher, changes, newest)


def restore(user: User, number: int, message: str = "") -> Version:
    """The same in a user's name, who may publish whatever it changes; nothing is made when nothing has changed since.

    NotFoundError; PermissionDenied; ChangesRefused; Conflict.
    """
    permissions.require(user, permissions.PUBLISH_VERSION)
    seeing.version_for(user, number)
    newest, earlier, changes = _back_to(number)
    if not changes:
        return _unchanged()
    if not all(seeing.sees(user, each) for each in changes.touched):
        raise PermissionDenied(f"Version {number} differs in entries outside of your namespaces.")
    for entry_id in changes.touched:
        permissions.require(user, permissions.PUBLISH_VERSION, namespace_of(entry_id))
    publisher = _Publisher(user, message or f"Version {earlier} again", EDITOR, None, earlier)
    return _publish(publisher, changes, newest)


def _back_to(number: int) -> tuple[int, int, Changes]:
    """The newest version, the one in force when `number` was the newest, and what leads back to it."""
    newest = reading.current_number()
    if not 0 < number <= newest:
        raise NotFoundError(NO_VERSION.format(number))
    changes = changing.diff(reading.snapshot(newest), reading.snapshot(number))
    return newest, reading.in_force(number), changes


def _publish(publisher: _Publisher, changes: Changes, base: int | None) -> Version:
    # Validation takes a while; outside of the transaction it keeps no other writer waiting.
    prepared = _prepare(base, changes, publisher)
    with transaction.atomic():
        lock_for_transaction(_LOCK)
        if reading.current_number() != prepared.number:
            prepared = _prepare(base, changes, publisher)
        prepared = replace(prepared, problems=_told(publisher.user, prepared))
        if errors_in(prepared.problems):
            raise ChangesRefused(prepared.problems)
        return _write(prepared, publisher) if prepared.changes or publisher.restores else _unchanged()


def may_publish(user: Any, kind: str, namespace: str) -> bool:
    """Whether the user may change entries of that kind there."""
    rights = [permissions.PUBLISH_VERSION]
    if kind in GUARDED:
        rights.append(permissions.PUBLISH_CLIENT)
    if kind == kinds.PYTHON_FUNCTION:
        rights.append(permissions.PUBLISH_PYTHON)
    return all(permissions.allows(user, right, namespace) for right in rights)


def _told(user: User | None, prepared: _Prepared) -> tuple[Problem, ...]:
    """The problems, without the names of entries that the user may not see."""
    return prepared.problems if user is None else seeing.told(user, prepared.problems, prepared.known)


def _require_rights(publisher: _Publisher, touched: Collection[str], before: _Entries, after: _Entries) -> None:
    """Guarded entries decide where this machine's keys are sent and who reads them: more than an author may."""
    if publisher.unit:
        ids = {*forbidden_to_lua(touched, before, after, settings.LUA_PUBLISHES), *_over_code(touched, before, after)}
        if ids:
            raise ForbiddenError(sorted(ids))
    if publisher.user:
        _require_namespaces(publisher.user, touched, before, after)


def _require_namespaces(user: User, touched: Collection[str], before: _Entries, after: _Entries) -> None:
    """The rights to guarded entries and Python code where they are, and to see what an entry names anew."""
    for entry_id in guarded(touched, before, after):
        permissions.require(user, permissions.PUBLISH_CLIENT, namespace_of(entry_id))
    for entry_id in naming_python(touched, before, after):
        permissions.require(user, permissions.PUBLISH_PYTHON, namespace_of(entry_id))
    for entry_id in _over_code(touched, before, after):
        if not permissions.allows(user, permissions.PUBLISH_PYTHON, namespace_of(entry_id)):
            raise PermissionDenied(_OVER_CODE.format(entry_id))
    if permissions.scope(user, permissions.VIEW_REGISTRY).everywhere:
        return
    for entry_id in touched:
        named = _targets(after.get(entry_id)) - _targets(before.get(entry_id))
        if unseen := sorted(each for each in named if not seeing.sees(user, each)):
            raise PermissionDenied(f"{entry_id} may not name {unseen[0]}: it is outside of your namespaces.")


def _over_code(touched: Collection[str], before: _Entries, after: _Entries) -> Iterator[str]:
    """The ids of functions that code declares whose calls would go elsewhere than before."""
    for entry_id in touched:
        declared = python_functions.entry(entry_id)
        was, becomes = before.get(entry_id, declared), after.get(entry_id)
        if declared and was and becomes and (was.kind, was.data) != (becomes.kind, becomes.data):
            yield entry_id


def _targets(entry: Entry | None) -> set[str]:
    return {each.target for each in references.references(entry)} if entry else set()


def preview(base: int | None, changes: Changes, user: User | None = None) -> list[Problem]:
    """Every problem, warnings included, that `publish` would find now; a stale base is one of them.

    For a user without the names that they may not see; PermissionDenied where they lack a right.
    """
    try:
        prepared = _prepare(base, changes, _Publisher(user, "", APPLY) if user else None)
        return list(_told(user, prepared))
    except StaleBaseError as error:
        return [Problem(error.message, entry_id=revision.entry_id) for revision in error.revisions]
    except ChangesRefused as error:
        return error.problems


def save_entry(
    user: User,
    entry_id: str,
    *,
    base: int | None,
    kind: str,
    meta: Mapping[str, Any],
    data: Mapping[str, Any],
    message: str,
) -> Version:
    """Publish one entry from the editor: a new one when `base` is None, else a change of what `base` holds."""
    entry = Entry(entry_id, kind, meta, data)
    changes = Changes(create=(entry,)) if base is None else Changes(update=(entry,))
    return publish(user, changes, base=base, message=message, source=EDITOR)


def delete_entry(user: User, entry_id: str, *, base: int | None, message: str) -> Version:
    """Delete one entry; refused while others use it."""
    return publish(user, Changes(delete=(entry_id,)), base=base, message=message, source=EDITOR)


def _prepare(base: int | None, changes: Changes, publisher: _Publisher | None = None) -> _Prepared:
    """The rights come before validation, which imports the Python code that entries name."""
    number = reading.current_number()
    current = reading.snapshot(number)
    fitted = _fit(base, number, current, changes)
    after = changing.apply(current, fitted)
    if publisher:
        _require_rights(publisher, fitted.touched, current, after)
    return _Prepared(number, fitted, after, _problems(current, after, fitted))


def _problems(current: Mapping[str, Entry], after: Mapping[str, Entry], fitted: Changes) -> tuple[Problem, ...]:
    """What is wrong after the changes, without the warnings that stood before and were accepted."""
    found = [
        *validate(after, check_source, touched=fitted.touched, deleted=fitted.delete, elsewhere=_in_code()),
        *_unset(after, fitted),
    ]
    found += python_functions.problems(after, fitted.touched)
    touched = set(fitted.touched)
    return tuple(each for each in found if each.severity == "error" or each.entry_id in touched)


def _in_code() -> frozenset[str]:
    """The ids that code declares."""
    return frozenset(each.entry.id for each in python_functions.declared())


def _unset(after: Mapping[str, Entry], fitted: Changes) -> Iterator[Problem]:
    """What the changed entries want of the environment and this process does not find."""
    known = {*variables_for_entries(), *ALWAYS_SET, *_declared(after)}
    for entry_id in fitted.touched:
        entry = after.get(entry_id)
        if entry and kinds.has_placeholders(entry.kind):
            yield from placeholders.unset(entry, known)
            yield from hooks.unset(entry, known)


def _declared(entries: Mapping[str, Entry]) -> Iterator[str]:
    """Ids and names of variables that have a value, as far as entries tell; what a storage holds, nodes know."""
    for entry in entries.values():
        if entry.kind == "env.variable" and (entry.data.get("storage") or entry.data.get("default") is not None):
            yield entry.id
            if name := entry.data.get("variable"):
                yield name


def _fit(base: int | None, number: int, current: Mapping[str, Entry], changes: Changes) -> Changes:
    if base is not None and not 0 <= base <= number:
        raise Refused(NO_VERSION.format(base))
    before = current if base in (None, number) else _before(base, changes.touched)
    if problems := changing.check(before, changes):
        raise ChangesRefused(problems)
    merged = changing.merge(before, current, changes)
    if merged.conflicts:
        raise StaleBaseError(base or 0, _newest_of(merged.conflicts))
    return merged.changes


def _before(base: int | None, ids: tuple[str, ...]) -> Mapping[str, Entry]:
    """The entries in question as they were; of very many all, since databases bound the length of a list."""
    return reading.snapshot(base, ids if len(ids) <= MAX_LISTED else None)


def _newest_of(ids: tuple[str, ...]) -> list[Revision]:
    rows = reading.newest_revisions().filter(entry_id__in=ids[:MAX_LISTED])
    return list(rows.select_related("version", "version__author"))


def _unchanged() -> Version:
    version = reading.current_version()
    if version is None:
        raise Refused("There is nothing to publish.")
    return version


def _write(prepared: _Prepared, publisher: _Publisher) -> Version:
    changes = prepared.changes
    version = Version.objects.create(
        number=prepared.number + 1,
        author=publisher.user,
        message=storable_text(publisher.message),
        source=publisher.source,
        restores=publisher.restores,
    )
    Revision.objects.bulk_create([*_revisions(version, prepared)])
    business_keys.forget_masked(reading.snapshot(prepared.number), prepared.after, prepared.changes.touched)
    Program.objects.bulk_create([*_programs(version, prepared)], ignore_conflicts=True)
    _note(version, changes, publisher)
    _announce(version, changes, publisher.unit)
    version.warnings = warnings_in(prepared.problems)
    return version


def _note(version: Version, changes: Changes, publisher: _Publisher) -> None:
    """Tell the audit: a row for each entry, of very many one for all."""
    who = publisher.user or f"lua:{publisher.unit.entry}" if publisher.unit else publisher.user or ""
    touched = sorted(changes.touched)
    data = {"version": version.number, "message": version.message, "source": version.source, "total": len(touched)}
    for entry_id in touched if len(touched) <= MAX_NOTED else [""]:
        label = f"version {version.number}"
        audit.append(audit.PUBLISH, who, entry_id=entry_id, label=label, outcome="done", data=data)


def _revisions(version: Version, prepared: _Prepared) -> list[Revision]:
    changes = prepared.changes
    written = [
        Revision(version=version, entry_id=each.id, kind=each.kind, meta=dict(each.meta), data=dict(each.data))
        for each in (*changes.create, *changes.update)
    ]
    return [*written, *(Revision(version=version, entry_id=each, deleted=True) for each in changes.delete)]


def _programs(version: Version, prepared: _Prepared) -> list[Program]:
    """Programs of what changed, itself or through a library; one that existed before keeps its row."""
    affected = sorted(importers(prepared.changes.touched, prepared.after))
    runnable = [each for each in affected if each in prepared.after and prepared.after[each].kind in kinds.EXECUTABLE]
    linked = [link(each, prepared.after) for each in runnable]
    return [
        Program(digest=each.digest, entry_id=each.entry_id, content=each.to_json(), version=version) for each in linked
    ]


def _announce(version: Version, changes: Changes, unit: Author | None) -> None:
    """Tell the feed, with entry and pid where Lua did it; long lists of ids are cut, `total` is not."""
    data = {
        "version": version.number,
        "author": version.author.get_username() if version.author else "",
        "message": version.message,
        "source": version.source,
        "created": [each.id for each in changes.create[:MAX_FEED_IDS]],
        "updated": [each.id for each in changes.update[:MAX_FEED_IDS]],
        "deleted": list(changes.delete[:MAX_FEED_IDS]),
        "total": len(changes.touched),
    }
    feed.append(feed.PUBLISHED, data=data, entry_id=unit.entry if unit else "", pid=unit.pid if unit else "")
