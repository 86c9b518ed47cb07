"""What is drawn for the parts of a schema: fields, and these, which hold further parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wippy_console.forms.schema.fields import Face, Field


@dataclass(frozen=True)
class Constant:
    """A value that is no question to anybody: it goes along with what it stands in."""

    face: Face
    value: Any


@dataclass(frozen=True)
class Fixed:
    """A read-only part: shown, and sent as it was drawn."""

    face: Face


@dataclass(frozen=True)
class Group:
    """An object with known properties. `is_open`: the schema says something of others, too."""

    face: Face
    parts: tuple[tuple[str, Shape], ...]
    is_open: bool = False


@dataclass(frozen=True)
class Rows:
    """A list. Its items are described when there are some, for they may hold such a list again.

    `lines`: the items are such that each can stand on a line of one text.
    """

    face: Face
    describe: Callable[[], Shape] = field(compare=False)
    lines: bool = False
    least: int = 0
    most: int | None = None

    @cached_property
    def item(self) -> Shape:
        """What each item is."""
        return self.describe()


@dataclass(frozen=True)
class Alternative:
    """One of several shapes for a value; `schema` tells whether a value is of it."""

    label: str
    hint: str
    shape: Shape
    schema: Any


@dataclass(frozen=True)
class Variants:
    """A value of one of several shapes."""

    face: Face
    options: tuple[Alternative, ...]


Shape = Field | Constant | Fixed | Group | Rows | Variants
