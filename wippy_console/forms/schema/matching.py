"""Which alternative a value is of."""

from __future__ import annotations

from typing import Any

from wippy_console.forms.schema.shapes import Variants
from wippy_console.forms.schema.values import MISSING
from wippy_console.services import schemas
from wippy_console.services.errors import Refused


def pick(shape: Variants, value: Any) -> str:
    """The index of the first alternative that takes the value, as text; "" for none."""
    if value is MISSING:
        return ""
    return next((str(index) for index, option in enumerate(shape.options) if _takes(option.schema, value)), "")


def _takes(schema: Any, value: Any) -> bool:
    if isinstance(schema, bool):
        return schema and value is not None
    try:
        return not schemas.problems(schema, value)
    except Refused:
        return False
