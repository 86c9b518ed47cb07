"""A list of scalars as one text, an item on each line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from wippy_console.forms.schema.fields import Field, Raw, Unreadable
from wippy_console.forms.schema.shapes import Rows
from wippy_console.forms.schema.values import MISSING, same


@dataclass(frozen=True)
class Lines(Field):
    """Nothing of a line is trimmed; empty lines are no items."""

    item: Field
    kind: ClassVar[str] = "lines"

    def draw(self, value: Any, zone: str) -> Raw:
        """Each on its line."""
        return "\n".join(self.item.draw(each, zone) for each in value) if isinstance(value, list) else ""

    def read(self, raw: Raw, was: Any) -> Any:
        """Each by the type of the items; errors name the line."""
        found = [self._line(number, line) for number, line in enumerate(raw.split("\n"), 1) if line]
        return found or ([] if self.face.required or isinstance(was, list) else MISSING)

    def _line(self, number: int, line: str) -> Any:
        try:
            return self.item.read(line, MISSING)
        except Unreadable as error:
            raise Unreadable(f"Line {number}: {error}") from None


def as_lines(shape: Rows) -> Lines | None:
    """The list as a field of lines, None when its items can't stand on one."""
    return Lines(shape.face, shape.item) if shape.lines and isinstance(shape.item, Field) else None


def fitting(shape: Rows, value: Any) -> Lines | None:
    """The same, if the very value comes back from there."""
    lines = as_lines(shape)
    if lines is None or value is MISSING or value == []:
        return lines
    try:
        return lines if same(lines.read(lines.draw(value, "UTC"), value), value) else None
    except Unreadable:
        return None
