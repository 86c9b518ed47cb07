"""What is wrong with entries that serve requests: each field by itself, then the routes that they come to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from engine.entry import Entry
from engine.registry import placeholders, shapes
from engine.registry.hooks import auth, limits, middleware
from engine.registry.hooks.paths import Pattern
from engine.registry.hooks.route import ENDPOINT, ROOT, ROUTER, SERVICE, WORKFLOW, Route, of_entry
from engine.registry.hooks.unreadable import Elsewhere, Unreadable
from engine.registry.kinds import WEBHOOK
from engine.registry.problems import Problem, Severity
from engine.registry.references import resolve

Readers = Mapping[str, Callable[[Any], Any]]

_COMMON: Readers = {"auth": auth.read, "rate": limits.rate, "max_body": limits.max_body}
_TAKING: Readers = {**_COMMON, "path": Pattern.parse, "id_header": lambda value: auth.header(value, "")}
_PARTS: Mapping[str, Readers] = {
    ENDPOINT: {**_TAKING, "timeout": limits.timeout},
    ROUTER: {**_COMMON, "prefix": Pattern.parse},
}
_PATHS = ("path", "prefix")


def check_alone(entry: Entry) -> Iterator[Problem]:
    """Problems of one entry that its shape does not show."""
    data = {key: placeholders.with_defaults(value) for key, value in entry.data.items()}
    for wrong in _unreadable(data, _PARTS.get(entry.kind, {})):
        yield from _told(entry, wrong)
    for severity, wrong in middleware.check(data) if entry.kind == ROUTER else ():
        yield from _told(entry, wrong, severity)
    if entry.kind == SERVICE:
        text = f"nothing listens here: the console's web server serves its endpoints, below {ROOT}/"
        yield _problem(entry, Unreadable(text, "addr" if "addr" in entry.data else ""), "warning")
    if entry.kind == WORKFLOW and "webhooks" in entry.meta:
        yield from _check_webhooks(entry)


def _check_webhooks(entry: Entry) -> Iterator[Problem]:
    webhooks = entry.meta["webhooks"]
    yield from shapes.check(webhooks, {"type": "array", "items": WEBHOOK}, "meta.webhooks")
    for place, item in enumerate(webhooks if isinstance(webhooks, list) else ()):
        if not isinstance(item, Mapping):
            continue
        where = f"meta.webhooks.{place}"
        for wrong in _unreadable(item, _TAKING):
            yield _problem(entry, wrong.below(where))
        if item.get("auth") is None:
            yield _problem(entry, auth.missing().below(where))
        if isinstance(item.get("schema"), Mapping) and (why := shapes.schema_problem(item["schema"])):
            yield Problem(why, field=f"{where}.schema")


def _unreadable(data: Mapping[str, Any], readers: Readers) -> Iterator[Unreadable]:
    for field, read in readers.items():
        value = data.get(field)
        if value is None or (field in _PATHS and (not isinstance(value, str) or not value)):
            continue
        try:
            read(value)
        except Unreadable as error:
            yield error.below(field)


@dataclass(frozen=True, slots=True)
class _Declared:
    route: Route
    is_touched: bool


def check_together(entries: Mapping[str, Entry], touched: Collection[str] | None = None) -> Iterator[Problem]:
    """Problems of routes: what is missing in an endpoint and its router, and two that can't be told apart.

    Those of `touched` entries (None = all) and of what stands below them: registries may hold endpoints from times when
    nothing served them, and those must keep nobody from publishing.
    """
    serving = {each.id: _with_defaults(each) for each in entries.values() if _serves(each)}
    by_shape: dict[str, list[_Declared]] = {}
    for entry in serving.values():
        is_touched = touched is None or any(each in touched for each in _above(entry, serving))
        for found in of_entry(entry, serving):
            if isinstance(found, Route):
                by_shape.setdefault(found.shape, []).append(_Declared(found, is_touched))
            elif is_touched and not isinstance(found, Elsewhere):
                yield from _told(entries[entry.id], found)
    for alike in by_shape.values():
        yield from _rivals(alike) if len(alike) > 1 else ()


def _serves(entry: Entry) -> bool:
    return entry.kind in (ENDPOINT, ROUTER, SERVICE) or (entry.kind == WORKFLOW and "webhooks" in entry.meta)


def _above(entry: Entry, entries: Mapping[str, Entry]) -> Iterator[str]:
    """The entry, its router and its router's service."""
    yield entry.id
    name = entry.meta.get("router" if entry.kind == ENDPOINT else "server")
    if entry.kind in (ENDPOINT, ROUTER) and isinstance(name, str):
        above = entries.get(resolve(name, entry.namespace))
        yield from _above(above, entries) if above and above.kind in (ROUTER, SERVICE) and above is not entry else ()


def _rivals(alike: list[_Declared]) -> Iterator[Problem]:
    """A problem for each, which names another one."""
    for each in alike:
        route, other = each.route, next(one.route for one in alike if one is not each)
        if any(one.is_touched for one in alike):
            where = f"{route.where}.path" if route.where else "path"
            text = f"`{route.name}` is served by {other.endpoint} already"
            yield Problem(text, entry_id=route.endpoint, field=where)


def secrets(entry: Entry) -> Iterator[tuple[str, str]]:
    """(field, name) of the variables that the entry's `auth` names."""
    webhooks = entry.meta.get("webhooks") if entry.kind == WORKFLOW else None
    items = webhooks if isinstance(webhooks, list) else []
    own = [("auth", entry.data)] if entry.kind in (ENDPOINT, ROUTER) else []
    for field, value in chain(own, ((f"meta.webhooks.{place}.auth", item) for place, item in enumerate(items))):
        given = value.get("auth") if isinstance(value, Mapping) else None
        for kind, fields in given.items() if isinstance(given, Mapping) else ():
            for name in ("secret_env", "password_env"):
                if isinstance(fields, Mapping) and isinstance(fields.get(name), str):
                    yield f"{field}.{kind}.{name}", fields[name]


def unset(entry: Entry, known: Collection[str]) -> Iterator[Problem]:
    """A warning for each of those variables that is not known."""
    for field, name in secrets(entry):
        if name not in known:
            text = f"the variable {name} is not set: until it is, every request is refused"
            yield Problem(text, entry_id=entry.id, field=field, severity="warning")


def _with_defaults(entry: Entry) -> Entry:
    """What the environment may replace; workflows are as they are written."""
    if entry.kind == WORKFLOW:
        return entry
    data, meta = placeholders.with_defaults(dict(entry.data)), placeholders.with_defaults(dict(entry.meta))
    return Entry(entry.id, entry.kind, meta, data)


def _told(entry: Entry, error: Unreadable, severity: Severity = "error") -> Iterator[Problem]:
    """Unless what stands in the field is known when the environment is."""
    first = error.field.split(".")[0]
    if not any(placeholders.found(entry.data.get(first))):
        yield _problem(entry, error, severity)


def _problem(entry: Entry, error: Unreadable, severity: Severity = "error") -> Problem:
    return Problem(error.message, entry_id=entry.id, field=error.field, hint=error.hint, severity=severity)
