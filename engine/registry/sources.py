"""What a registry wants to know of a Lua text; the engine's reader of Lua tells it (engine/check.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.registry.problems import Problem


@dataclass(frozen=True, slots=True)
class Named:
    """A literal id that the text calls, spawns or executes, on which line."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """What is wrong with the syntax (the first error, with its line) or None, and the ids that the text names."""

    problem: Problem | None = None
    named: tuple[Named, ...] = ()


SourceCheck = Callable[[str, str], Source]
"""Given Lua text and its chunk name."""
