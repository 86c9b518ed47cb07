"""Bodies of deliveries and their answers as they may be shown: without what the workflow's entry hides of its input."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.registry.hooks.route import Route, Shortcut
from wippy_console.models import Delivery, Run
from wippy_console.models.masks import Veil, of_entry, steps
from wippy_console.services import exact, registry, secrets
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.hooks import acting, routes
from wippy_console.services.questions import declared

MOST = 20_000
"""Characters that are shown."""
_INDENTED = json.JSONEncoder(ensure_ascii=False, indent=2)
_PRIVATE = {"authorization", "cookie", "proxy-authorization"}


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` is what may be seen; where it is empty, `note` says why."""

    text: str = ""
    note: str = ""
    is_json: bool = False
    is_cut: bool = False


def body(delivery: Delivery) -> Shown:
    """What was sent."""
    content = bytes(delivery.body)
    if not content:
        is_kept = delivery.state != Delivery.State.REFUSED and not delivery.size
        return Shown(note="No body" if is_kept else "Nothing of it is kept.")
    if delivery.act == Delivery.Act.CALL:
        return _plain(content)
    try:
        value = exact.json_value(content.decode())
    except (UnicodeDecodeError, exact.NotExactError):
        return Shown(note="No JSON: not shown") if _hides(delivery) else _plain(content)
    route = routes.named(delivery.route)
    if route is None or route.shortcut is None or route.endpoint != delivery.endpoint:
        return (
            Shown(note="Its webhook is gone: what of it may be seen is unknown") if _hides(delivery) else _json(value)
        )
    return _json(_veiled(delivery, route, route.shortcut, value))


def answer(delivery: Delivery) -> Shown:
    """What was answered."""
    content = bytes(delivery.answer)
    if not content:
        if delivery.status is not None and delivery.status >= 400 and not delivery.answer_headers:
            return Shown(note="A problem (RFC 9457), which is not kept.")
        return Shown(note="Not kept: it was too long." if delivery.is_streamed else "No body")
    return _plain(content)


def headers(pairs: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Without what lets somebody in."""
    return [(name, value) for name, value in pairs if name.lower() not in _PRIVATE]


def _plain(content: bytes) -> Shown:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return Shown(note=f"{len(content)} bytes that are no text")
    try:
        return _json(json.loads(text))
    except (ValueError, RecursionError):
        return _cut(text, is_json=False)


def _json(value: Any) -> Shown:
    """Written no further than is shown: indented, what is nested deeply would be a thousand times as long."""
    text = ""
    for part in _INDENTED.iterencode(value):
        text += part
        if len(text) > MOST:
            break
    return _cut(text, is_json=True)


def _cut(text: str, *, is_json: bool) -> Shown:
    return Shown(text[:MOST], is_json=is_json, is_cut=len(text) > MOST)


def _hides(delivery: Delivery) -> bool:
    """Whether the entry hides anything."""
    meta = _meta(delivery.endpoint)
    signals = declared(meta)
    schemas = [meta.get("input_schema"), *(each.schema for each in signals)]
    return bool(of_entry(delivery.endpoint)) or any(map(secrets.holds, schemas))


def _veiled(delivery: Delivery, route: Route, shortcut: Shortcut, value: Any) -> Any:
    """Dots where the workflow's input has them, and wherever else the same values stand."""
    value = secrets.masked(shortcut.schema, value)
    try:
        given = acting.part(value, shortcut.payload)
    except Refused:
        given, path = value, steps("$")
    else:
        path = steps(shortcut.payload)
    veil = Veil(of_entry(route.target, _version(delivery)), [given])
    return veil.at(()).value(_put(value, path, veil.value(_without_secrets(route, shortcut, given))))


def _without_secrets(route: Route, shortcut: Shortcut, payload: Any) -> Any:
    meta = _meta(route.target)
    if route.act == "start":
        return secrets.masked(meta.get("input_schema"), payload)
    for signal in declared(meta):
        if signal.topic == shortcut.topic:
            payload = secrets.masked(signal.schema, payload)
    return payload


def _meta(entry_id: str) -> Mapping[str, Any]:
    try:
        return registry.entry(entry_id).meta
    except NotFoundError:
        return {}


def _version(delivery: Delivery) -> int | None:
    """In which its run began."""
    run = Run.objects.filter(pk=delivery.run_id).only("registry_version").first() if delivery.run_id else None
    return run.registry_version if run else None


def _put(value: Any, path: Sequence[str], new: Any) -> Any:
    """The value with another part at the path, which is there."""
    if not path:
        return new
    if isinstance(value, list):
        index = int(path[0])
        return [_put(each, path[1:], new) if at == index else each for at, each in enumerate(value)]
    return {**value, path[0]: _put(value[path[0]], path[1:], new)}
