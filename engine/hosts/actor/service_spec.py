"""What a `process.service` entry asks for, read (lua-api 19), and in which order services start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from engine.durations import SECOND, option_duration
from engine.entry import Entry
from engine.errors import ProgramError, UnitFailed
from engine.host import Catalog
from engine.hosts.actor.failures import bad_option
from engine.hosts.actor.options import Backoff, read_backoff
from engine.steps import Value

SERVICE = "process.service"


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service as its entry describes it. Durations in ns; `max_attempts` 0 means unlimited.

    `fingerprint` differs whenever a running service has to be restarted to follow the registry.
    """

    entry_id: str
    process: str
    host: str
    args: tuple[Value, ...]
    requires: tuple[str, ...]
    auto_start: bool
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
        return cls(
            entry_id=entry.id,
            process=process,
            host=host,
            args=tuple(entry.data.get("input") or ()),
            requires=_requires(entry, lifecycle),
            auto_start=lifecycle.get("auto_start") is True,
            start_timeout=_duration(lifecycle, "start_timeout", 10 * SECOND),
            stop_timeout=_duration(lifecycle, "stop_timeout", 10 * SECOND),
            stable_threshold=_duration(lifecycle, "stable_threshold", 5 * SECOND),
            max_attempts=_count(restart, "max_attempts"),
            backoff=read_backoff(restart, initial=SECOND, longest=90 * SECOND),
            fingerprint=(entry, _digest(process, catalog), catalog.entry(host) is not None),
        )


def start_levels(specs: Mapping[str, ServiceSpec]) -> tuple[list[list[str]], dict[str, str]]:
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


def _requires(entry: Entry, lifecycle: Mapping[str, Any]) -> tuple[str, ...]:
    sources = (lifecycle.get("requires"), lifecycle.get("depends_on"), entry.meta.get("depends_on"))
    names = [name for source in sources if isinstance(source, list | tuple) for name in source]
    return tuple(dict.fromkeys(_full(entry, name) for name in names if isinstance(name, str)))


def _reference(entry: Entry, field: str) -> str:
    value = entry.data.get(field)
    if not isinstance(value, str) or not value:
        raise UnitFailed(bad_option(field, value))
    return _full(entry, value)


def _full(entry: Entry, name: str) -> str:
    return name if ":" in name else f"{entry.namespace}:{name}"


def _digest(process: str, catalog: Catalog) -> str:
    try:
        return catalog.current(process).digest
    except ProgramError:
        return ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _duration(options: Mapping[str, Any], name: str, default: int) -> int:
    if options.get(name) is None:
        return default
    duration = option_duration(options[name])
    if duration is None or duration < 0:
        raise UnitFailed(bad_option(name, options[name]))
    return duration


def _count(options: Mapping[str, Any], name: str) -> int:
    value = options.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UnitFailed(bad_option(name, value))
    return value
