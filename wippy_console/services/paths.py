"""Paths into JSON values, as entries name parts of an input: `order.id`, `$.lines.0.sku`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

MISSING = object()
_HOLE = re.compile(r"\{\s*([\w.$-]{1,200})\s*\}")
_LONGEST = 200


def at(value: Any, path: str) -> Any:
    """What stands there, MISSING where nothing does."""
    for step in path.removeprefix("$").removeprefix(".").split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isascii() and step.isdecimal() and int(step[:6]) < len(value):
            value = value[int(step[:6])]
        else:
            return MISSING
    return value


def filled(template: str, value: Any, escaped: Callable[[str], str] = str) -> str:
    """The template with what stands at each `{path}` of the value; what is not there stays as it is written."""

    def found(path: str) -> str | None:
        part = at(value, path)
        return None if part is MISSING else escaped(spoken(part))

    return replaced(template, found)


def replaced(template: str, found: Callable[[str], str | None]) -> str:
    """The template with what is found for each `{path}`; one without stays as it is written."""

    def put(hole: re.Match[str]) -> str:
        text = found(hole[1])
        return hole[0] if text is None else text

    return _HOLE.sub(put, template)


def spoken(value: Any) -> str:
    """A value within a sentence: texts as they are, others as JSON, long ones cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
