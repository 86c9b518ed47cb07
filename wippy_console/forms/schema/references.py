"""`$ref` and `allOf`, laid into one part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from wippy_console.services import pointers

Part = Mapping[str, Any]
Open = frozenset[str]
"""The references that lead to where one is: another one to the same place would never end."""

_DEPTH = 50


class UndrawableError(Exception):
    """Raised for what no fields can be drawn for; the text says why."""


@dataclass(frozen=True, slots=True)
class References:
    """The schema that all local references are into."""

    root: Part

    def flat(self, part: Part, seen: Open, laid: Open = frozenset()) -> tuple[dict[str, Any], Open]:
        """The part with what it refers to; raises UndrawableError for a circle or a reference that leads nowhere.

        What was `laid` into it before is not laid again, nor is what two of its parts have in common.
        """
        done = set(laid)
        found = self._laid(part, seen, done, 0)
        return found, seen | done

    def _laid(self, part: Part, seen: Open, done: set[str], depth: int) -> dict[str, Any]:
        if depth > _DEPTH:
            raise UndrawableError("it is nested too deeply")
        found = dict(part)
        if isinstance(ref := found.pop("$ref", None), str):
            found = merged(self._referred(ref, seen, done, depth), found)
        for each in _mappings(found.pop("allOf", None)):
            found = merged(self._laid(each, seen, done, depth + 1), found)
        return found

    def _referred(self, ref: str, seen: Open, done: set[str], depth: int) -> dict[str, Any]:
        target = self._target(ref, seen)
        if ref in done:  # all of it is in the whole already, and what came first wins
            return {}
        done.add(ref)
        return self._laid(target, seen | {ref}, done, depth + 1)

    def title(self, part: Any) -> str:
        """The title of a part, or the name of what it refers to."""
        if not isinstance(part, Mapping):
            return ""
        ref = part.get("$ref")
        below = self.find(ref) if isinstance(ref, str) else None
        named = str(ref).rpartition("/")[2] if isinstance(ref, str) else ""
        return str(part.get("title") or (below or {}).get("title") or unquote(named))

    def find(self, ref: str) -> Part | None:
        """What a local reference leads to."""
        return pointers.find(self.root, ref)

    def _target(self, ref: str, seen: Open) -> Part:
        if ref in seen:
            raise UndrawableError("it holds itself")
        found = self.find(ref)
        if found is None:
            raise UndrawableError(f"{ref} leads nowhere")
        return found


def merged(below: Part, above: Part) -> dict[str, Any]:
    """Both parts in one; what `above` says wins, properties and required names add up."""
    found = {**below, **above}
    ours, theirs = below.get("properties"), above.get("properties")
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        found["properties"] = {**ours, **{name: _both(ours.get(name), part) for name, part in theirs.items()}}
    lists = [names for names in (below.get("required"), above.get("required")) if isinstance(names, list)]
    if lists:
        found["required"] = [name for names in lists for name in names]
    return found


def _both(below: Any, above: Any) -> Any:
    return merged(below, above) if isinstance(below, Mapping) and isinstance(above, Mapping) else above


def _mappings(parts: Any) -> list[Part]:
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
