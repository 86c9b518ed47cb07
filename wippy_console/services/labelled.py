"""A value by its JSON Schema: what is shown of it, field by field, under the titles that the author gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wippy_console.services import secrets
from wippy_console.services.pointers import find

MOST_ITEMS = 20
_DEEPEST = 6
_MOST_PARTS = 200


@dataclass(frozen=True, slots=True)
class Labelled:
    """One field: a `value` as text or a `moment`, or `parts` of its own. `more` items of a list are not shown."""

    label: str
    value: str = ""
    moment: datetime | None = None
    parts: tuple[Labelled, ...] = ()
    more: int = 0
    is_long: bool = False
    is_secret: bool = False


def labelled(schema: Any, value: Any) -> tuple[Labelled, ...]:
    """The fields of a value: those of the schema in its order, then what else there is. Secrets are dots."""
    shown = secrets.masked(schema, value)
    return _Reader(schema).read("", schema, shown, 0).parts if isinstance(shown, dict | list) else ()


class _Reader:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.left = _MOST_PARTS

    def read(self, label: str, part: Any, value: Any, depth: int) -> Labelled:
        """One field, by its part of the schema."""
        self.left -= 1
        known = self._whole(part)
        if isinstance(value, dict | list) and (depth >= _DEEPEST or self.left < 0):
            return Labelled(label, "…")
        if isinstance(value, dict):
            return Labelled(label, parts=tuple(self._fields(known, value, depth)))
        if isinstance(value, list):
            return self._listed(label, known, value, depth)
        return _plain(label, known, value)

    def _fields(self, known: Mapping[str, Any], value: Mapping[str, Any], depth: int) -> Iterator[Labelled]:
        described = known.get("properties")
        parts = described if isinstance(described, Mapping) else {}
        names = [*(name for name in parts if name in value), *(name for name in value if name not in parts)]
        for name in names[: max(self.left, 0)]:
            yield self.read(self._title(parts.get(name), name), parts.get(name), value[name], depth + 1)

    def _listed(self, label: str, known: Mapping[str, Any], value: Sequence[Any], depth: int) -> Labelled:
        some, more, items = value[:MOST_ITEMS], max(len(value) - MOST_ITEMS, 0), known.get("items")
        if not any(isinstance(each, dict | list) for each in some):
            texts = [_plain("", self._whole(items), each).value for each in some]
            return Labelled(label, ", ".join(texts) or "none", more=more)
        title = self._title(items, "")
        parts = [self.read(f"{title} {at}".strip(), items, each, depth + 1) for at, each in enumerate(some, 1)]
        return Labelled(label, parts=tuple(parts), more=more)

    def _title(self, part: Any, name: str) -> str:
        own = part.get("title") if isinstance(part, Mapping) else None
        title = own or self._whole(part).get("title")
        return title if isinstance(title, str) and title else name.replace("_", " ").strip().capitalize()

    def _whole(self, part: Any) -> Mapping[str, Any]:
        """The part with what it refers to; of several alternatives none is chosen."""
        for _ in range(_DEEPEST):
            ref = part.get("$ref") if isinstance(part, Mapping) else None
            if not isinstance(ref, str):
                break
            part = {**(find(self.root, ref) or {}), **{name: item for name, item in part.items() if name != "$ref"}}
        return part if isinstance(part, Mapping) else {}


def _plain(label: str, known: Mapping[str, Any], value: Any) -> Labelled:
    if value == secrets.MASK:
        return Labelled(label, secrets.MASK, is_secret=True)
    if isinstance(value, str) and known.get("format") == "date-time" and (at := _moment(value)):
        return Labelled(label, moment=at)
    text = _titled(known, value)
    return Labelled(label, text, is_long=len(text) > 80 or "\n" in text)


def _titled(known: Mapping[str, Any], value: Any) -> str:
    """The title of a choice, else the value in words."""
    for word in ("oneOf", "anyOf"):
        choices = known.get(word)
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping) and "const" in choice and choice["const"] == value:
                return str(choice.get("title", value))
    match value:
        case None:
            return "–"
        case bool():
            return "Yes" if value else "No"
        case _:
            return str(value)


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
