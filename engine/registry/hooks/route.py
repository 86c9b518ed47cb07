"""Routes: what an `http.endpoint` entry, or an item of a workflow's `meta.webhooks`, comes to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

from engine.entry import Entry, namespace_of
from engine.registry.hooks import auth, limits, middleware
from engine.registry.hooks.auth import Auth
from engine.registry.hooks.limits import Rate
from engine.registry.hooks.middleware import Cors
from engine.registry.hooks.paths import Pattern
from engine.registry.hooks.unreadable import Elsewhere, Unreadable
from engine.registry.references import resolve

T = TypeVar("T")
Act: TypeAlias = Literal["call", "start", "signal"]

ROOT = "/hooks"
ENDPOINT, ROUTER, SERVICE, WORKFLOW = "http.endpoint", "http.router", "http.service", "workflow.lua"
ANY = "*"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", ANY)
WITH_BODY = ("POST", "PUT", "PATCH", "DELETE")
WHOLE = "$"
MOST_KEYS = 20
"""Of `meta.search`: no more are kept of a run."""
_INTO = re.compile(r"\$(\.[^.]+)+")


@dataclass(frozen=True, slots=True)
class Shortcut:
    """What `meta.webhooks` adds to a route. Paths are into the JSON body, as `$.order.id`.

    A start: `workflow_id` is the path to what the run's id ends in ("<entry name>-<value>"), "" for the delivery's id.
    A signal: `topic`; `key` is the path to the value that finds the run, `search` the path in the entry's `meta.search`
    that it is compared with, spelled as there (a key of `Run.keys`); `wait` says for how many seconds a delivery waits
    for such a run. Both: `payload` is the path to what is given on (`$`: the whole body), `schema` is for the body
    (None: whatever is JSON).
    """

    topic: str = ""
    key: str = ""
    search: str = ""
    workflow_id: str = ""
    payload: str = WHOLE
    schema: Mapping[str, Any] | None = None
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """One door: requests of `method` (`*`: any) whose path matches `pattern` (below `/hooks`).

    `endpoint` is the id of the entry that declares it; `target` that of the function to call, or of the workflow to
    start or signal. `auth` is never left out: `Open` was said. `rates` all hold (the endpoint's own, its router's
    default, its router's `ratelimit`). `max_body` is in bytes, `timeout` in seconds, `id_header` in lower case, ""
    when senders give no id. `cors` is None when pages of other origins may not ask. `router` and `service` are ids of
    entries or "". `shortcut` is None for calls. `where` is the field of the entry that declares it, as meta.webhooks.0,
    "" for an endpoint.
    """

    method: str
    pattern: Pattern
    endpoint: str
    act: Act
    target: str
    auth: Auth
    rates: tuple[Rate, ...] = ()
    max_body: int = limits.MAX_BODY
    timeout: float = limits.TIMEOUT
    id_header: str = ""
    cors: Cors | None = None
    router: str = ""
    service: str = ""
    shortcut: Shortcut | None = None
    where: str = ""

    @property
    def address(self) -> str:
        """The path that it serves, with its parameters' names: `/hooks/orders/{id}`."""
        return ROOT + self.pattern.text

    @property
    def name(self) -> str:
        """By which a route is known, unique among those in force: `POST /hooks/orders/{id}`."""
        return f"{self.method} {self.address}"

    @property
    def shape(self) -> str:
        """Alike for two that can't be told apart."""
        return f"{self.method} {self.pattern.shape}"

    @property
    def namespace(self) -> str:
        """Of the entry that declares it."""
        return namespace_of(self.endpoint)


def of_entry(entry: Entry, entries: Mapping[str, Entry]) -> Iterator[Route | Unreadable]:
    """Each route of an entry, or why there is none."""
    if entry.kind == ENDPOINT:
        yield _tried(lambda: _endpoint(entry, entries), "")
    webhooks = entry.meta.get("webhooks") if entry.kind == WORKFLOW else None
    for place, item in enumerate(webhooks if isinstance(webhooks, list) else ()):
        where = f"meta.webhooks.{place}"
        yield _tried(partial(_shortcut, entry, item, where), where)


def _tried(read: Callable[[], Route], where: str) -> Route | Unreadable:
    try:
        return read()
    except Unreadable as error:
        return error.below(where)


def _endpoint(entry: Entry, entries: Mapping[str, Entry]) -> Route:
    data = entry.data
    router = _named(entry, "router", ROUTER, entries)
    if router is None:
        raise Unreadable("is missing", "meta.router", "name the http.router that it stands below")
    service = _named(router, "server", SERVICE, entries)
    func = data.get("func")
    if not isinstance(func, str) or not func:
        raise Unreadable("is missing", "func", "name the function that answers")
    method = _method(data.get("method"))
    pattern = _pattern(_prefix(router) + _path(data.get("path")).text)
    return Route(
        method=method,
        pattern=pattern,
        endpoint=entry.id,
        act="call",
        target=resolve(func, entry.namespace),
        auth=_auth(data, router.data),
        rates=_rates(data, router, f"{method} {ROOT}{pattern.text}"),
        max_body=_max_body(data, router.data),
        timeout=_first("timeout", limits.timeout, data) or limits.TIMEOUT,
        id_header=_id_header(data),
        cors=_of_router(middleware.cors, router.data),
        router=router.id,
        service=service.id if service else "",
    )


def _shortcut(entry: Entry, item: Any, where: str) -> Route:
    if not isinstance(item, Mapping):
        raise Unreadable("must be a mapping")
    topic = item.get("signal")
    if ("signal" in item) == ("starts" in item):
        raise Unreadable("must have either `starts: true` or `signal: <topic>`")
    if "starts" in item and item["starts"] is not True:
        raise Unreadable("must be true", "starts")
    if "signal" in item and (not isinstance(topic, str) or not topic):
        raise Unreadable("must be the topic of a signal", "signal")
    method = _method(item.get("method", "POST"))
    if method not in WITH_BODY:
        raise Unreadable(f"must be one of {', '.join(WITH_BODY)}", "method")
    pattern = _path(item.get("path"))
    return Route(
        method=method,
        pattern=pattern,
        endpoint=entry.id,
        act="signal" if topic else "start",
        target=entry.id,
        auth=_auth(item),
        rates=_rates(item, None, f"{method} {ROOT}{pattern.text}"),
        max_body=_max_body(item),
        id_header=_id_header(item),
        shortcut=_signal(entry, item, topic) if topic else _start(item),
        where=where,
    )


def _start(item: Mapping[str, Any]) -> Shortcut:
    _without(item, "a start", "key", "search", "wait")
    workflow_id = _into(item, "workflow_id") if "workflow_id" in item else ""
    return Shortcut(workflow_id=workflow_id, payload=_payload(item), schema=_schema(item))


def _signal(entry: Entry, item: Mapping[str, Any], topic: str) -> Shortcut:
    _without(item, "a signal", "workflow_id")
    key = _into(item, "key")
    return Shortcut(
        topic=topic,
        key=key,
        search=_searched(entry, str(item.get("search", key)), "search" if "search" in item else "key"),
        payload=_payload(item),
        schema=_schema(item),
        wait=_first("wait", limits.wait, item) or 0.0,
    )


def _searched(entry: Entry, path: str, field: str) -> str:
    """The path as it is spelled in the entry's `meta.search`."""
    given = entry.meta.get("search")
    listed = [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)]
    for each in listed[:MOST_KEYS]:
        if _bare(each) == _bare(path):
            return each
    known = f"it has {', '.join(listed)}" if listed else "it has none"
    hint = f"add {path} there, or say `search`: which of them it is compared with"
    raise Unreadable(f"`{path}` is not in meta.search, by which runs are found: {known}", field, hint)


def _bare(path: str) -> str:
    return path.removeprefix("$").removeprefix(".")


def _without(item: Mapping[str, Any], what: str, *fields: str) -> None:
    for field in fields:
        if field in item:
            raise Unreadable(f"says nothing of {what}", field)


def _into(item: Mapping[str, Any], field: str) -> str:
    path = item.get(field)
    if not isinstance(path, str) or not _INTO.fullmatch(path):
        raise Unreadable("must be a path into the body, such as $.order.id", field)
    return path


def _payload(item: Mapping[str, Any]) -> str:
    return _into(item, "payload") if item.get("payload", WHOLE) != WHOLE else WHOLE


def _schema(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema = item.get("schema")
    if schema is not None and not isinstance(schema, Mapping):
        raise Unreadable("must be a JSON Schema, a mapping", "schema")
    return schema


def _named(entry: Entry, field: str, kind: str, entries: Mapping[str, Entry]) -> Entry | None:
    """The entry that `meta.<field>` names, None when it names none."""
    name = entry.meta.get(field)
    if name is None:
        return None
    if not isinstance(name, str) or not name:
        raise Unreadable(f"must be the id of an {kind}", f"meta.{field}")
    target = entries.get(resolve(name, entry.namespace))
    if target is None or target.kind != kind:
        raise Elsewhere(f"there is no {kind} `{resolve(name, entry.namespace)}`", f"meta.{field}")
    return target


def _method(value: Any) -> str:
    if value not in METHODS:
        raise Unreadable(f"must be one of {', '.join(METHODS)}", "method")
    return str(value)


def _path(value: Any) -> Pattern:
    return _pattern(value if isinstance(value, str) else "")


def _pattern(text: str) -> Pattern:
    try:
        return Pattern.parse(text)
    except Unreadable as error:
        raise error.below("path") from None


def _prefix(router: Entry) -> str:
    prefix = router.data.get("prefix") or ""
    try:
        text = Pattern.parse(prefix).text if isinstance(prefix, str) and prefix else "/"
    except Unreadable as error:
        raise Elsewhere(f"its router's prefix {error.message}", "meta.router") from None
    return text.removesuffix("/")


def _auth(*levels: Mapping[str, Any]) -> Auth:
    """The first that is said; each level is a default for the one before."""
    found = _first("auth", auth.read, *levels)
    if found is None:
        raise auth.missing()
    return found


def _max_body(*levels: Mapping[str, Any]) -> int:
    found = _first("max_body", limits.max_body, *levels)
    return limits.MAX_BODY if found is None else found


def _rates(data: Mapping[str, Any], router: Entry | None, name: str) -> tuple[Rate, ...]:
    own = _first("rate", limits.rate, data, router.data if router else {})
    shared = _of_router(partial(middleware.rate, router_id=router.id), router.data) if router else None
    return (*((Rate(*own, name),) if own else ()), *((shared,) if shared else ()))


def _of_router(read: Callable[[Mapping[str, Any]], T], data: Mapping[str, Any]) -> T:
    try:
        return read(data)
    except Unreadable as error:
        raise Elsewhere(f"its router's {error.field} {error.message}", "meta.router") from None


def _first(field: str, read: Callable[[Any], T], *levels: Mapping[str, Any]) -> T | None:
    """What the first level says that says anything; after the endpoint's own comes its router."""
    for place, level in enumerate(levels):
        if level.get(field) is not None:
            try:
                return read(level[field])
            except Unreadable as error:
                own = error.below(field)
                raise Elsewhere(f"its router's {own.field} {own.message}", "meta.router") if place else own from None
    return None


def _id_header(data: Mapping[str, Any]) -> str:
    named = data.get("id_header")
    return "" if named is None else auth.header(named, "id_header")
