"""The doors that there are: routes of the registry version in force, compiled once for each version.

All that is here blocks (it may ask the registry of this process, `temporal.catalog()`): call it on a thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias
from urllib.parse import quote

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.registry import placeholders
from engine.registry.hooks.middleware import Cors
from engine.registry.hooks.paths import Paths
from engine.registry.hooks.route import ANY, ENDPOINT, METHODS, ROOT, WORKFLOW, Route, of_entry
from engine.registry.hooks.unreadable import Unreadable
from wippy_console.services import temporal
from wippy_console.services.hooks import secrets

logger = logging.getLogger(__name__)

_KINDS = (ENDPOINT, WORKFLOW)
_FILLED = (ENDPOINT, "http.router", "http.service")


@dataclass(frozen=True, slots=True)
class Match:
    """The route that takes a request, and the parameters of its path, decoded."""

    route: Route
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Options:
    """An OPTIONS request that no endpoint declares is answered by itself: 204 with `allow`, and what `cors` says."""

    allow: tuple[str, ...]
    cors: Cors | None


@dataclass(frozen=True, slots=True)
class MethodNotAllowed:
    """The path is known, by these methods."""

    allow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """No route has that path."""


Outcome: TypeAlias = Match | Options | MethodNotAllowed | NotFound


@dataclass(slots=True)
class Table:
    """The routes of one state of the registry. `closed` has, by entry, why routes of its are not served."""

    paths: Paths[Route] = field(default_factory=Paths)
    by_name: dict[str, Route] = field(default_factory=dict)
    by_entry: dict[str, list[Route]] = field(default_factory=dict)
    closed: dict[str, list[Unreadable]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Mapping[str, Entry]) -> Table:
        """Compile; what can't be read is left out, and so is the later one of two that can't be told apart."""
        table, shapes = cls(), dict[str, Route]()
        for entry in entries.values():
            if entry.kind == ENDPOINT or (entry.kind == WORKFLOW and entry.meta.get("webhooks")):
                for found in of_entry(entry, entries):
                    table._add(entry, found, shapes)
        return table

    def _add(self, entry: Entry, found: Route | Unreadable, shapes: dict[str, Route]) -> None:
        if isinstance(found, Route) and (other := shapes.get(found.shape)):
            found = Unreadable(f"{other.endpoint} has {found.name} as well", found.where)
        if isinstance(found, Unreadable):
            self.closed.setdefault(entry.id, []).append(found)
            return
        shapes[found.shape] = found
        self.paths.add(found.pattern, found)
        self.by_name[found.name] = found
        self.by_entry.setdefault(entry.id, []).append(found)

    def find(self, method: str, path: str) -> Outcome:
        """The same as the function, among these routes."""
        seen: list[Route] = []
        for _, alike in groupby(self.paths.matches(path), lambda found: found.value.pattern.shape):
            by_method = {found.value.method: Match(found.value, found.params) for found in alike}
            if match := _chosen(by_method, method):
                return match
            seen += [each.route for each in by_method.values()]
        return _without(seen, method) if seen else NotFound()


def _chosen(by_method: Mapping[str, Match], method: str) -> Match | None:
    wanted = (method, "GET", ANY) if method == "HEAD" else (method, ANY)
    return next((by_method[each] for each in wanted if each in by_method), None)


def _without(routes: list[Route], method: str) -> Options | MethodNotAllowed:
    methods = {each.method for each in routes}
    allowed = {*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())}
    allow = tuple(each for each in METHODS if each in allowed)
    if method != "OPTIONS":
        return MethodNotAllowed(allow)
    return Options(allow, next((each.cors for each in routes if each.cors), None))


class _Tables:
    """The table of the state in force: made when a request comes and the registry has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[Mapping[str, Entry], Table] | None = None

    def current(self) -> Table:
        """The table of the registry as this process sees it."""
        catalog = temporal.catalog()
        entries = catalog.state(catalog.version())
        with self._lock:
            if self._held is None or self._held[0] is not entries:
                self._held = entries, Table.of(_filled(entries))
            return self._held[1]


_tables = _Tables()


def find(method: str, path: str) -> Outcome:
    """The route for a request. `path` is what follows `/hooks` (`below`), as it was sent: percent-encoded.

    The most specific path wins that takes the method, and on one path the method itself before `*`; HEAD is served by
    GET, OPTIONS by itself where no endpoint declares it (`Options`). For a preflight, find by its
    `Access-Control-Request-Method` and read `cors` of the match.
    """
    return _tables.current().find(method, path)


def named(name: str) -> Route | None:
    """The route of a name (`Route.name`, `Delivery.route`) as it is now, None when it is gone."""
    return _tables.current().by_name.get(name)


def of(entry_id: str) -> tuple[Route, ...]:
    """The routes that an entry declares."""
    return tuple(_tables.current().by_entry.get(entry_id, ()))


def below_entry(entry_id: str) -> tuple[Route, ...]:
    """The routes that an entry declares, or that stand below it when it is a router or a service."""
    table = _tables.current()
    if entry_id in table.by_entry:
        return tuple(table.by_entry[entry_id])
    return tuple(each for each in table.by_name.values() if entry_id in (each.router, each.service))


def closed(entry_id: str) -> tuple[Unreadable, ...]:
    """Why routes that an entry declares are not served."""
    return tuple(_tables.current().closed.get(entry_id, ()))


def below(scope: Mapping[str, Any]) -> str:
    """What follows `/hooks` in the path of an ASGI scope, as it was sent; "" when it is no path of ours."""
    raw = scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if isinstance(raw, bytes) else quote(str(scope.get("path", "")))
    return path.removeprefix(ROOT) if path.startswith(f"{ROOT}/") else ""


def _filled(entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
    """The entries with placeholders of those kinds filled in; one that can't be stays as it is written, and closed."""
    variables = secrets.variables()
    return {each.id: _filled_entry(each, variables) if each.kind in _FILLED else each for each in entries.values()}


def _filled_entry(entry: Entry, variables: Mapping[str, str]) -> Entry:
    try:
        return placeholders.decoded(entry, variables)
    except UnitFailed as error:
        logger.warning("%s; its routes are closed", error.failure.message)
        return entry
