"""The contract of whoever answers what a unit asks of its host (`Ask` of engine/steps.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from engine.steps import Value

Service = Callable[[str, tuple[Value, ...]], Awaitable[Value]]
"""Answers an `Ask` on the loop: (pid of the asker, arguments) -> value; raises UnitFailed."""
