"""JSON values, and the absence of one."""

from __future__ import annotations

import json
from typing import Any


class Missing:
    """The absence of a value, where None is a value (JSON null)."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = Missing()


def spelled(value: Any) -> str:
    """The JSON text of a value, which tells 1 from true and from 1.0; the key of an option."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON value, or both missing."""
    if one is MISSING or other is MISSING:
        return one is other
    return spelled(one) == spelled(other)


def text_of(value: Any) -> str:
    """A value as a person would type it into a text field."""
    if value is MISSING or value is None:
        return ""
    return value if isinstance(value, str) else spelled(value)
