"""Where the local references of a JSON Schema lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote


def find(root: Any, ref: str) -> Mapping[str, Any] | None:
    """The part of `root` that `#`, `#/$defs/a` or `#anchor` leads to, None when there is none."""
    if not ref.startswith("#"):
        return None
    found = _at(root, ref[1:]) if ref == "#" or ref.startswith("#/") else _anchor(root, ref[1:])
    return found if isinstance(found, Mapping) else None


def _at(root: Any, pointer: str) -> Any:
    found = root
    for step in pointer.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _anchor(root: Any, name: str) -> Any:
    return next((part for part in _defined(root) if part.get("$anchor") == name), None)


def _defined(root: Any) -> Iterator[Mapping[str, Any]]:
    for key in ("$defs", "definitions"):
        parts = root.get(key) if isinstance(root, Mapping) else None
        for part in parts.values() if isinstance(parts, Mapping) else ():
            if isinstance(part, Mapping):
                yield part
