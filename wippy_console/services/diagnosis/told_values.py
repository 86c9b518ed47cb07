"""Values as the query `stacks` tells them, as texts for people: like Lua, with dots for what is hidden."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from wippy_console.services.masking import MASK
from wippy_console.services.secrets import Hidden

_WORDS = {None: "nil", True: "true", False: "false"}


def text(value: Any, hidden: Hidden) -> str:
    """One line; what is cut says how much it is."""
    match value:
        case None | bool():
            return _WORDS[value]
        case str():
            return MASK if hidden.hides(value) else json.dumps(value, ensure_ascii=False)
        case int() | float():
            return MASK if hidden.hides(value) else repr(value)
        case Mapping():
            return _other(value, hidden)
        case _:
            return "?"


def _other(value: Mapping[str, Any], hidden: Hidden) -> str:
    match value.get("t"):
        case "string":
            return MASK if hidden.hides_beginning(value["text"]) else _cut(value)
        case "number":
            return str(value["text"])
        case "table":
            return _named(value.get("class"), _table(value, hidden))
        case "function":
            return f"function {value['entry']}:{value['line']}" if "entry" in value else "function"
        case "coroutine":
            return f"coroutine ({value['status']})"
        case _:
            return _object(value, hidden)


def _cut(value: Mapping[str, Any]) -> str:
    return f"{json.dumps(value['text'], ensure_ascii=False)}… ({value['size']} bytes)"


def _table(value: Mapping[str, Any], hidden: Hidden) -> str:
    if value.get("cycle"):
        return "{ itself }"
    if value.get("deeper"):
        return "{…}"
    items = value.get("items", [])
    listed = [key for key, _ in items] == list(range(1, len(items) + 1))
    shown = items if listed else sorted(items, key=lambda pair: (isinstance(pair[0], str), str(pair[0])))
    parts = [_item(key, item, hidden, bare=listed) for key, item in shown]
    if more := value.get("more"):
        parts.append(f"… {more}{' or more' if more >= 1000 else ' more'}")
    return f"{{ {', '.join(parts)} }}" if parts else "{}"


def _item(key: Any, item: Any, hidden: Hidden, *, bare: bool) -> str:
    shown = MASK if hidden.hides_name(key) and item is not None else text(item, hidden)
    if bare:
        return shown
    return f"{key} = {shown}" if isinstance(key, str) and key.isidentifier() else f"[{text(key, hidden)}] = {shown}"


def _named(name: Any, shown: str) -> str:
    return f"{name} {shown}" if name else shown


def _object(value: Mapping[str, Any], hidden: Hidden) -> str:
    name = str(value.get("class", "object"))
    if "sec" in value:
        return _moment(value["sec"], value["nsec"])
    if "ns" in value:
        return f"{value['ns'] / 1e9:g}s"
    if "text" in value:
        return f"{name}: {text(value['text'], hidden)}"
    return f"{name} {text(value['value'], hidden)}" if "value" in value else name


def _moment(seconds: int, nanoseconds: int) -> str:
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s since 1970"
    return f"{at:%Y-%m-%d %H:%M:%S}.{nanoseconds // 1_000_000:03} UTC"
