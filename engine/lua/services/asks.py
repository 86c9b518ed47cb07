"""What a wait asks of people, as code says it (docs/lua.md#process-messages)."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import invalid
from engine.registry.asking import read_ask
from engine.registry.problems import errors_in
from engine.steps import Value


def read(ask: Value = None) -> list[Value]:
    """How many microseconds it took; the JSON text, or an Invalid failure; the first warning or ""."""
    found = read_ask(ask)
    if wrong := errors_in(found.problems):
        return [found.work, invalid(f"process.listen: {wrong[0]}"), ""]
    return [found.work, found.text, str(found.problems[0]) if found.problems else ""]


PURE: dict[str, Callable[..., Value]] = {"ask.read": read}
