"""What a form holds before anybody touched it: defaults, where those of outer parts win over those of inner ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippy_console.forms.schema.shapes import Constant, Group, Shape
from wippy_console.forms.schema.values import MISSING


def filled(shape: Shape, value: Any = MISSING, *, there: bool = False) -> Any:
    """The value with what it lacks filled in. An object that may be left out stays so, unless it is `there`."""
    if value is MISSING:
        value = shape.face.default
    if isinstance(shape, Constant):
        return shape.value
    if not isinstance(shape, Group) or not (value is MISSING or isinstance(value, Mapping)):
        return value
    if value is MISSING and not (there or shape.face.required):
        return MISSING
    return _object(shape, value or {})


def _object(shape: Group, value: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: filled(part, value.get(name, MISSING)) for name, part in shape.parts}
    return {**value, **{name: item for name, item in found.items() if item is not MISSING}}
