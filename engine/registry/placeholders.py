"""`${env:NAME}` placeholders: checked when an entry is published, filled in where it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from engine.registry.problems import Problem
from engine.registry.shapes import PLACEHOLDER

OPENING = "${env:"


def check(value: Any, path: str = "") -> Iterator[Problem]:
    """A problem for each text that opens a placeholder which is none."""
    for where, text in texts(value, path):
        if OPENING in PLACEHOLDER.sub("", text):
            yield Problem("a placeholder is written ${env:NAME}, with a name of letters, digits and _", field=where)


def fill(value: Any, environment: Callable[[str], str | None]) -> Any:
    """The value with every placeholder replaced; `environment` gives None for an unset name, which raises KeyError."""
    match value:
        case str():
            return PLACEHOLDER.sub(lambda found: _filled(found[0][len(OPENING) : -1], environment), value)
        case dict():
            return {key: fill(child, environment) for key, child in value.items()}
        case list():
            return [fill(child, environment) for child in value]
        case _:
            return value


def _filled(name: str, environment: Callable[[str], str | None]) -> str:
    found = environment(name)
    if found is None:
        raise KeyError(name)
    return found


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
