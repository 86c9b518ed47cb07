"""What a `process.service` entry asks for, read (docs/lua.md#services), and in which order services start."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from engine.contracts.catalog import Catalog
from engine.durations import SECOND
from engine.entry import Entry
from engine.errors import ProgramError, UnitFailed
from engine.hosts.actor.failures import bad_option
from engine.hosts.actor.options import Backoff, read_backoff, read_duration
from engine.registry.contexts import declared
from engine.registry.references import required_services, resolve
from engine.security.context import Security
from engine.steps import Value

SERVICE = "process.service"

Specs = Mapping[str, "ServiceSpec"]


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service as its entry describes it. Durations in ns; `max_attempts` 0 means unlimited.

    `requires` holds services, hosts, workers and clients, those too that its host or worker requires in turn.
    `fingerprint` differs whenever a running service has to be restarted to follow the registry.
    """

    entry_id: str
    process: str
    host: str
    args: tuple[Value, ...]
    requires: tuple[str, ...]
    auto_start: bool
    optional: bool
    security: Security | None
    start_timeout: int
    stop_timeout: int
    stable_threshold: int
    max_attempts: int
    backoff: Backoff
    fingerprint: tuple[object, ...]

    @classmethod
    def read(cls, entry: Entry, catalog: Catalog) -> ServiceSpec:
        """The spec of an entry; raises UnitFailed (Invalid) for a value that can't be read."""
        lifecycle = _mapping(entry.data.get("lifecycle"))
        restart = _mapping(lifecycle.get("restart"))
        process = _reference(entry, "process")
        host = _reference(entry, "host")
        security = declared(lifecycle.get("security"), entry.namespace, catalog)
        return cls(
            entry_id=entry.id,
            process=process,
            host=host,
            args=tuple(entry.data.get("input") or ()),
            requires=requirements(entry, catalog),
            auto_start=lifecycle.get("auto_start") is True,
            optional=lifecycle.get("startup") == "optional",
            security=security,
            start_timeout=read_duration(lifecycle, "start_timeout", 10 * SECOND),
            stop_timeout=read_duration(lifecycle, "stop_timeout", 10 * SECOND),
            stable_threshold=read_duration(lifecycle, "stable_threshold", 5 * SECOND),
            max_attempts=_count(restart, "max_attempts"),
            backoff=read_backoff(restart, initial=SECOND, longest=90 * SECOND),
            fingerprint=(entry, security, _digest(process, catalog), catalog.entry(host) is not None),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """The services of a registry: those that can be read, and what is wrong with the others."""

    good: Specs
    errors: dict[str, str]

    def wanted(self, by_hand: Collection[str] = ()) -> Specs:
        """Those that start by themselves or were started by hand, and all that they require."""
        found: dict[str, ServiceSpec] = {}
        frontier = [id_ for id_, spec in self.good.items() if spec.auto_start or id_ in by_hand]
        while frontier:
            id_ = frontier.pop()
            if id_ in self.good and id_ not in found:
                found[id_] = self.good[id_]
                frontier.extend(found[id_].requires)
        return found


def read_specs(catalog: Catalog, may_run: Callable[[str], bool]) -> Known:
    """Read the `process.service` entries that may run here."""
    good: dict[str, ServiceSpec] = {}
    errors: dict[str, str] = {}
    for entry in catalog.entries(SERVICE):
        if not may_run(entry.id):
            continue
        try:
            good[entry.id] = ServiceSpec.read(entry, catalog)
        except UnitFailed as error:
            errors[entry.id] = error.failure.message
    return Known(good, errors)


def start_levels(specs: Specs) -> tuple[list[list[str]], dict[str, str]]:
    """Service ids by level, a level starting after the one before it; and the errors of those left out.

    Left out are members of a dependency cycle.
    """
    errors: dict[str, str] = {}
    while True:
        graph = {id_: [need for need in spec.requires if need in specs] for id_, spec in specs.items()}
        sorter = TopologicalSorter({id_: needs for id_, needs in graph.items() if id_ not in errors})
        try:
            sorter.prepare()
        except CycleError as error:
            cycle = error.args[1]
            errors |= dict.fromkeys(cycle, f"dependency cycle: {' -> '.join(cycle)}")
            specs = {id_: spec for id_, spec in specs.items() if id_ not in errors}
        else:
            return list(_levels(sorter)), errors


def _levels(sorter: TopologicalSorter[str]) -> Iterable[list[str]]:
    while sorter.is_active():
        level = sorted(sorter.get_ready())
        yield level
        sorter.done(*level)


def requirements(entry: Entry, catalog: Catalog) -> tuple[str, ...]:
    """What must run before the entry, passed on by hosts, workers and clients; services wait for their own."""
    found: dict[str, None] = {}
    frontier = [entry]
    while frontier:
        for target in (reference.target for reference in required_services(frontier.pop())):
            known = catalog.entry(target)
            if target not in found and known is not None and known.kind != SERVICE:
                frontier.append(known)
            found[target] = None
    return tuple(found)


def _reference(entry: Entry, field: str) -> str:
    value = entry.data.get(field)
    if not isinstance(value, str) or not value:
        raise UnitFailed(bad_option(field, value))
    return resolve(value, entry.namespace)


def _digest(process: str, catalog: Catalog) -> str:
    try:
        return catalog.current(process).digest
    except ProgramError:
        return ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(options: Mapping[str, Any], name: str) -> int:
    value = options.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UnitFailed(bad_option(name, value))
    return value
