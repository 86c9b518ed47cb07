"""One line for a run or a call: the `meta.summary` of its entry filled in, else what tells most of its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wippy_console.database.storable import is_preview
from wippy_console.services import paths

LONGEST = 200
_UNKNOWN = "–"
_DEPTH = 3
_LOOKED_AT = 50
_BYTES = {"encoding", "bytes", "base64", "key"}
_NAMES = re.compile(r"(^|_)(id|key|name|number|code|sku|email|title)$|[a-z]Id$")
"""Fields that tell most: they come first. (Tables of Lua arrive in no order that an author chose.)"""


def of(meta: Mapping[str, Any], arguments: Sequence[Any] | None) -> str:
    """The line that the entry's `summary` makes of the arguments, "" where it has none or nothing fits."""
    template = meta.get("summary")
    return filled(template, arguments) if isinstance(template, str) else ""


def filled(template: str, arguments: Sequence[Any] | None) -> str:
    """The template, each `{path}` from the first argument, else from all (`{1.name}`); "" when nothing is there."""
    given = list(arguments or ())
    told = [False]

    def part(path: str) -> str:
        found = paths.at(given[0], path) if given else paths.MISSING
        found = paths.at(given, path) if found is paths.MISSING else found
        told[0] = told[0] or found is not paths.MISSING
        return _UNKNOWN if found is paths.MISSING or found is None else paths.spoken(found)

    line = short(paths.replaced(template, part))
    return line if told[0] or line == short(template) else ""


def telling(arguments: Sequence[Any] | None) -> str:
    """The scalar of the arguments that says most: an id or a name, else the first; "" when there is none."""
    for name, value in _scalars(list(arguments or ()), "", 0):
        text = value if isinstance(value, str) else paths.spoken(value)
        if text.strip():
            return short(f"{name} {text}" if name and not isinstance(value, str) else text)
    return ""


def line(meta: Mapping[str, Any], arguments: Sequence[Any] | None) -> str:
    """The summary of the entry, else what tells most."""
    return of(meta, arguments) or telling(arguments)


def short(text: str) -> str:
    """On one line, cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def _stood_for(value: Any) -> str:
    """What stands for a value that is not shown whole, or is no text; "" for any other."""
    if is_preview(value):
        return str(value["preview"])
    if isinstance(value, dict) and value.keys() >= _BYTES:
        return f"{value.get('type') or 'binary'}, {value['bytes']} bytes"
    return ""


def _scalars(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Texts and numbers within the value, those nearer to the top first."""
    if isinstance(value, str | int | float):
        yield name, value
    if not isinstance(value, dict | list) or depth > _DEPTH:
        return
    if stood_for := _stood_for(value):
        yield name, stood_for
        return
    items = list(value.items() if isinstance(value, dict) else (("", each) for each in value))[:_LOOKED_AT]
    items.sort(key=lambda item: not _NAMES.search(str(item[0])))
    for deep in (False, True):
        for key, each in items:
            if isinstance(each, dict | list) is deep:
                yield from _scalars(each, str(key), depth + 1)
