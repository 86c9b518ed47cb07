"""`${env:NAME}` placeholders, as they are checked when an entry is published; hosts fill them in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.registry.problems import Problem
from engine.registry.shapes import PLACEHOLDER

OPENING = "${env:"


def check(value: Any, path: str = "") -> Iterator[Problem]:
    """A problem for each text that opens a placeholder which is none."""
    for where, text in texts(value, path):
        if OPENING in PLACEHOLDER.sub("", text):
            yield Problem("a placeholder is written ${env:NAME}, with a name of letters, digits and _", field=where)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value with its dotted path."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, child in value.items():
                yield from texts(child, f"{path}.{key}" if path else str(key))
        case list():
            for index, child in enumerate(value):
                yield from texts(child, f"{path}.{index}" if path else str(index))
