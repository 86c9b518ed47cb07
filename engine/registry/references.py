"""Which entries an entry names, in which field, and of which kinds they must be."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.entry import Entry
from engine.registry import kinds
from engine.registry.problems import Problem, Severity
from engine.registry.words import did_you_mean, listed

IMPORT = "imports"
NAMESPACE = "ns:"
ONLY_ORDER = "meta.depends_on"  # orders what is there; nothing fails for the want of it
_HOSTS = frozenset({"process.host", "terminal.host"})
_WORKERS = frozenset({"temporal.worker"})

_FIELDS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "process.service": {"process": frozenset({"process.lua", "process.lua.bc"}), "host": _HOSTS},
    "temporal.worker": {"client": frozenset({"temporal.client"})},
    "security.token_store": {"store": frozenset()},
    "env.variable": {"storage": frozenset()},
    "store.sql": {"database": kinds.DATABASES},
    "http.endpoint": {"func": kinds.FUNCTIONS},
}
"""Per kind of entry: the fields that name another one, and the kinds that it may have (empty = any)."""

_POLICIES_OF = ("lifecycle.security.policies", "security.policies")

SUPERVISED = frozenset({"process.service", "process.host", "temporal.client", "temporal.worker"})
"""Kinds that a node starts and stops in the order of what they require."""

_META_FIELDS: Mapping[str, frozenset[str]] = {
    "default_host": _HOSTS,
    "options.default_host": _HOSTS,
    "temporal.activity.worker": _WORKERS,
    "temporal.workflow.worker": _WORKERS,
}

_META_OF: Mapping[str, Mapping[str, frozenset[str]]] = {
    "http.endpoint": {"router": frozenset({"http.router"})},
    "http.router": {"server": frozenset({"http.service"})},
}
"""The same of what one kind's meta names."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`field` of an entry names the entry `target`, which must be of one of `kinds` (empty = any)."""

    field: str
    target: str
    kinds: frozenset[str] = frozenset()


def resolve(name: str, namespace: str) -> str:
    """The entry id that a name means; a bare name stands in the namespace of the entry that uses it."""
    return name if ":" in name else f"{namespace}:{name}"


def references(entry: Entry) -> tuple[Reference, ...]:
    """Everything that the entry names; values of a wrong shape are left to the check of fields."""
    return tuple(_references(entry))


def imports(entry: Entry) -> Mapping[str, str]:
    """Alias to entry id, for a Lua entry; empty for others."""
    declared = entry.data.get(IMPORT) if entry.kind in kinds.LUA else None
    pairs = declared.items() if isinstance(declared, Mapping) else ()
    return {alias: resolve(name, entry.namespace) for alias, name in pairs if isinstance(name, str) and name}


def required_services(entry: Entry) -> tuple[Reference, ...]:
    """What must run before the entry's own part does: `lifecycle.requires`, its aliases, its host or client."""
    return tuple(each for each in references(entry) if _is_requirement(each)) if entry.kind in SUPERVISED else ()


def _is_requirement(reference: Reference) -> bool:
    lists = ("lifecycle.requires.", "lifecycle.depends_on.", "meta.depends_on.")
    return reference.field in ("client", "host") or reference.field.startswith(lists)


def default_host(entry: Entry) -> str:
    """The host that a process names for calls of it, or ""."""
    named = {each.field: each.target for each in references(entry)}
    return named.get("meta.default_host") or named.get("meta.options.default_host", "")


def check(
    entry: Entry, entries: Mapping[str, Entry], deleted: frozenset[str] = frozenset(), elsewhere: Container[str] = ()
) -> Iterator[Problem]:
    """Problems of what the entry names. Targets in `deleted` are reported elsewhere, once for all their users.

    `elsewhere` knows ids of functions that code declares.
    """
    for reference in references(entry):
        target = entries.get(reference.target)
        if target is None:
            is_code = kinds.PYTHON_FUNCTION in reference.kinds and reference.target in elsewhere
            if reference.target not in deleted and not is_code:
                yield _missing(entry, reference, entries)
        elif reference.kinds and target.kind not in reference.kinds:
            yield _wrong_kind(entry, reference, target)


def users(entry_id: str, entries: Mapping[str, Entry]) -> list[tuple[Entry, str]]:
    """Entries that name `entry_id`, each with the field that does, by id."""
    return [
        (entry, reference.field)
        for _, entry in sorted(entries.items())
        for reference in references(entry)
        if reference.target == entry_id and entry.id != entry_id
    ]


def _references(entry: Entry) -> Iterator[Reference]:
    for alias, target in imports(entry).items():
        yield Reference(f"{IMPORT}.{alias}", target, kinds.IMPORTABLE)
    for field, allowed in _FIELDS.get(entry.kind, {}).items():
        yield from _single(entry, entry.data, field, field, allowed)
    if entry.kind == "env.storage.router":
        yield from _several(entry, entry.data, "storages", "storages")
    in_meta = _META_FIELDS if entry.kind in kinds.LUA else _META_OF.get(entry.kind, {})
    for field, allowed in in_meta.items():
        yield from _single(entry, entry.meta, field, f"meta.{field}", allowed)
    if entry.kind in kinds.SCHEMAS:
        yield from _several(entry, entry.data, "lifecycle.requires", "lifecycle.requires")
        yield from _several(entry, entry.data, "lifecycle.depends_on", "lifecycle.depends_on")
        for field in _POLICIES_OF if entry.kind in kinds.ACTING else _POLICIES_OF[:1]:
            yield from _several(entry, entry.data, field, field, kinds.POLICIES)
    yield from _several(entry, entry.meta, "depends_on", "meta.depends_on")


def _single(
    entry: Entry, data: Mapping[str, Any], path: str, field: str, allowed: frozenset[str]
) -> Iterator[Reference]:
    name = _at(data, path)
    if isinstance(name, str) and name:
        yield Reference(field, resolve(name, entry.namespace), allowed)


def _several(
    entry: Entry, data: Mapping[str, Any], path: str, field: str, allowed: frozenset[str] = frozenset()
) -> Iterator[Reference]:
    names = _at(data, path)
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and name and not name.startswith(NAMESPACE):
            yield Reference(f"{field}.{index}", resolve(name, entry.namespace), allowed)


def _at(data: Mapping[str, Any], path: str) -> Any:
    value: Any = data
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _missing(entry: Entry, reference: Reference, entries: Mapping[str, Entry]) -> Problem:
    candidates = [each.id for each in entries.values() if not reference.kinds or each.kind in reference.kinds]
    hint = did_you_mean(reference.target, candidates)
    severity: Severity = "warning" if reference.field.startswith(ONLY_ORDER) else "error"
    message = f"there is no entry `{reference.target}`"
    return Problem(message, entry_id=entry.id, field=reference.field, hint=hint, severity=severity)


def _wrong_kind(entry: Entry, reference: Reference, target: Entry) -> Problem:
    wanted = listed(sorted(reference.kinds))
    message = f"`{target.id}` is a `{target.kind}`, and only {wanted} can stand here"
    return Problem(message, entry_id=entry.id, field=reference.field)
