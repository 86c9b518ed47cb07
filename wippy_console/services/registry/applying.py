"""A tree of YAML and Lua files against the current version: what publishing it would change, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Literal

from django.contrib.auth.models import User

from engine.entry import Entry, namespace_of
from engine.registry import changes as changing
from engine.registry import exporting
from engine.registry import tree as trees
from engine.registry.changes import Changes
from engine.registry.exporting import Exported
from engine.registry.problems import Problem, errors_in
from engine.registry.texts import entry_text
from engine.registry.tree import Tree
from wippy_console import permissions
from wippy_console.models import Revision, Version
from wippy_console.services.errors import Refused
from wippy_console.services.registry import publishing, reading

Edits = Literal["refuse", "take", "keep"]
"""What happens to entries that were changed elsewhere since they were applied: a problem each, the files' or theirs."""


@dataclass(frozen=True, slots=True)
class Edited:
    """An entry that somebody changed since it was last applied, and how the files differ from that, as a diff."""

    entry_id: str
    version: int
    publisher: str
    difference: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a tree would do to version `base`; problems stand with their files, as the tree names them."""

    base: int
    changes: Changes
    unchanged: int
    problems: tuple[Problem, ...]
    edited: tuple[Edited, ...] = ()


def plan(files: Mapping[str, str | bytes], *, prune: bool, edits: Edits = "refuse") -> Plan:
    """Compare the files by their paths with the current version.

    `prune` deletes the entries that the files lack, in the namespaces that they hold; nothing is pruned by a tree
    that could not be read as a whole. Reading a file may raise what `files` raises.
    """
    return plan_of(trees.parse(files), prune=prune, edits=edits)


def plan_of(
    tree: Tree,
    *,
    prune: bool = False,
    delete: Collection[str] = (),
    edits: Edits = "refuse",
    base: int | None = None,
    user: User | None = None,
) -> Plan:
    """The same of a tree that was read, with further ids to delete, and what the user who asks may not do or see.

    With `base` it is what the tree's author changed since that version. PermissionDenied; Refused for no such version.
    """
    newest = reading.current_number()
    if base is not None and base > newest:
        raise Refused(publishing.NO_VERSION.format(base), paths={("base",): [publishing.NO_VERSION.format(base)]})
    base = newest if base is None else base
    if user is not None:
        _require_rights(user, tree, delete, prune=prune)
    current = reading.snapshot(base)
    gone = [*delete, *(_lacking(current, tree) if prune else ())]
    changes = changing.diff(current, tree.entries, delete=gone)
    edited = tuple(_edited(changes, current)) if edits != "take" else ()
    if edits == "keep":
        changes = changing.without(changes, {each.entry_id for each in edited})
    found = [*publishing.preview(base, changes, user), *(_refusal(each) for each in edited if edits == "refuse")]
    unchanged = len(set(tree.entries) & set(current)) - len(changes.update)
    return Plan(base, changes, unchanged, trees.located(tree, found), edited)


def apply(user: User, planned: Plan, message: str) -> Version:
    """Publish a plan in the user's name."""
    return publishing.publish(user, planned.changes, base=planned.base, message=message, source=publishing.APPLY)


def export(files: Mapping[str, str | bytes]) -> tuple[int, Exported]:
    """The current version, and what to write so that the files hold it."""
    number = reading.current_number()
    return number, exporting.export(files, reading.snapshot(number))


def _require_rights(user: User, tree: Tree, delete: Iterable[str], *, prune: bool) -> None:
    """Before anything is told of what stands there."""
    permissions.require(user, permissions.PUBLISH_VERSION)
    named = {namespace_of(each) for each in (*tree.entries, *delete)} | (tree.namespaces if prune else set())
    for namespace in sorted(named):
        permissions.require(user, permissions.PUBLISH_VERSION, namespace)


def files_of(entry: Entry) -> Mapping[str, str]:
    """An entry alone as `export` writes it, texts by path; none for what no file can hold."""
    found = exporting.export({}, {entry.id: entry})
    return {path: text for path, text in found.files.items() if text is not None and not found.refused}


def _lacking(current: Iterable[str], tree: Tree) -> list[str]:
    if errors_in(tree.problems):
        return []
    return [each for each in current if each.partition(":")[0] in tree.namespaces]


def _edited(changes: Changes, current: Mapping[str, Entry]) -> Iterator[Edited]:
    """Whatever the changes would overwrite, bring back or delete that was not left so by `apply`."""
    wanted = {each.id: each for each in (*changes.create, *changes.update)}
    for revision in _elsewhere(changes.touched):
        entry_id, version = revision.entry_id, revision.version
        yield Edited(
            entry_id, version.number, version.publisher, difference(current.get(entry_id), wanted.get(entry_id))
        )


def _elsewhere(ids: Sequence[str]) -> Iterator[Revision]:
    for at in range(0, len(ids), publishing.MAX_LISTED):
        some = ids[at : at + publishing.MAX_LISTED]
        rows = reading.newest_revisions().filter(entry_id__in=some).exclude(version__source=publishing.APPLY)
        yield from rows.select_related("version", "version__author")


def difference(old: Entry | None, new: Entry | None, names: tuple[str, str] = ("registry", "files")) -> str:
    """Both as texts of an author, as a unified diff."""
    before, after = (entry_text(each).splitlines(keepends=True) for each in (old, new))
    lines = unified_diff(before, after, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _refusal(edited: Edited) -> Problem:
    message = f"was changed since it was last applied, in version {edited.version} by {edited.publisher}"
    return Problem(message, entry_id=edited.entry_id, hint="--force takes the file, --keep-edited leaves the entry")
