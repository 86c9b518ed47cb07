"""The contract of whoever answers what a unit asks of its host (`engine.steps.Ask`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from engine.steps import Value

AskHandler = Callable[[str, tuple[Value, ...]], Awaitable[Value]]
"""Answers an `Ask` on the loop: (pid of the asker, arguments) -> value; raises UnitFailed."""
