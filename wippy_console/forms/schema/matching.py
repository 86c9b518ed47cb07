"""Which alternative a value is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippy_console.forms.schema.shapes import Constant, Group, Shape, Variants
from wippy_console.forms.schema.values import MISSING, same
from wippy_console.services import schemas
from wippy_console.services.errors import Refused


def pick(shape: Variants, value: Any) -> str:
    """The index of the first alternative that takes the value, as text; "" for none.

    A constant of one that the value has decides, whatever else is wrong with it.
    """
    if value is MISSING:
        return ""
    marks = [_mark(option.shape, value) for option in shape.options]
    if True in marks:
        return str(marks.index(True))
    left = [index for index, mark in enumerate(marks) if mark is None]
    return next((str(index) for index in left if _takes(shape.options[index].schema, value)), "")


def _mark(shape: Shape, value: Any) -> bool | None:
    """Whether the value has the constants of an object; None when there are none to tell."""
    if not isinstance(shape, Group) or not isinstance(value, Mapping):
        return None
    constants = [(name, part.value) for name, part in shape.parts if isinstance(part, Constant) and part.face.required]
    return all(same(value.get(name, MISSING), constant) for name, constant in constants) if constants else None


def _takes(schema: Any, value: Any) -> bool:
    if isinstance(schema, bool):
        return schema and value is not None
    try:
        return not schemas.problems(schema, value)
    except Refused:
        return False
