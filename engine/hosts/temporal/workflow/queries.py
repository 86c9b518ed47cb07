"""What the queries of a run answer: they look, and change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STATE = "what the run waits for, and with which program it works"
PID = "the pid of the run"
STACKS = "where each coroutine stands, what it waits for since when, and its variables"


def stack_text(told: Mapping[str, Any]) -> str:
    """The answer to `stacks` as Temporal's tools show a stack trace: lines of text, innermost first."""
    return "\n".join(_lines(told))


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    for coroutine in told["coroutines"]:
        name = "main" if coroutine["main"] else "coroutine"
        alike = f" ({coroutine['alike']} alike)" if coroutine["alike"] > 1 else ""
        yield f"{name}{alike}: {', '.join(map(_wait, coroutine['waits'])) or 'waits for nothing'}"
        for frame in coroutine["frames"]:
            function = frame["function"] or f"function <{frame['from']}>"
            yield f"  {frame['entry']}:{frame['line']}: in {function}"
        yield ""


def _wait(wait: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (wait["does"], wait["kind"], str(wait["name"]))))
