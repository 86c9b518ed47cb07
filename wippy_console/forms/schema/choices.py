"""Fields whose values stand in the schema: one of them, or several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from wippy_console.forms.schema.fields import Field, Raw, Unreadable
from wippy_console.forms.schema.posted import Posted
from wippy_console.forms.schema.values import MISSING, same, spelled

FEW = 4
"""Up to so many alternatives are shown at once, more in a list to open."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value to choose. `key` is its JSON text, which is what a browser sends."""

    value: Any
    label: str
    hint: str = ""

    @property
    def key(self) -> str:
        """As the control's content."""
        return spelled(self.value)


@dataclass(frozen=True)
class Choice(Field):
    """One of some values, of any JSON types."""

    options: tuple[Option, ...] = ()

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Radio buttons for few that must be chosen of, else a list."""
        return "radio" if len(self.options) <= FEW and self.face.required else "select"

    def draw(self, value: Any, zone: str) -> Raw:
        """The key, also of a value that is not among the options."""
        return "" if value is MISSING else spelled(value)

    def take(self, data: Posted, name: str, zone: str) -> Raw:
        """As it is."""
        return data.text(name)

    def read(self, raw: Raw, was: Any) -> Any:
        """The value itself."""
        return MISSING if raw == "" else chosen(self.options, raw)


@dataclass(frozen=True)
class Several(Field):
    """A list of some of the values, in their order."""

    kind: ClassVar[str] = "several"
    options: tuple[Option, ...] = ()

    def draw(self, value: Any, zone: str) -> Raw:
        """Their keys, each once, in the order of the page, as a browser sends them."""
        keys = {spelled(each) for each in value} if isinstance(value, list) else set()
        known = [option.key for option in self.options]
        return (*[key for key in known if key in keys], *sorted(keys - set(known)))

    def take(self, data: Posted, name: str, zone: str) -> Raw:
        """All that are ticked."""
        return data.texts(name)

    def read(self, raw: Raw, was: Any) -> Any:
        """None ticked is an empty list where a list must be given, or was drawn; else it is absent."""
        if not raw:
            return [] if self.face.required or isinstance(was, list) else MISSING
        return [chosen(self.options, key) for key in raw]


def chosen(options: Iterable[Option], key: str) -> Any:
    """The value with that key; a string's own text will do as well where it is no other's key."""
    for option in options:
        if option.key == key:
            return option.value
    for option in options:
        if option.value == key:
            return option.value
    raise Unreadable(f"{_readable(key)} is not one of the choices.")


def labels_of(values: Iterable[Any], given: Any) -> Iterator[Option]:
    """Options with the labels of `x-labels`: by the value's text, or in the same order."""
    for index, value in enumerate(values):
        yield Option(value, _label(value, index, given))


def has(options: Iterable[Option], value: Any) -> bool:
    """Whether the value is among them."""
    return any(same(option.value, value) for option in options)


def _label(value: Any, index: int, given: Any) -> str:
    text = value if isinstance(value, str) else spelled(value)
    match given:
        case dict():
            return str(given.get(text, given.get(value, text) if isinstance(value, str | int) else text))
        case list() if index < len(given):
            return str(given[index])
        case _:
            return "None" if value is None else text


def _readable(key: str) -> str:
    try:
        value = json.loads(key)
    except (ValueError, RecursionError):
        value = key
    return f"“{value if isinstance(value, str) else key}”"
