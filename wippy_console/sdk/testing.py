"""What tests of Django apps use."""

from __future__ import annotations

from engine.attempt import Attempt
from engine.hosts.python.call import PythonCall
from engine.program import Program
from engine.steps import Identity
from wippy_console.sdk.context import Context

PID = "{test@python|1}"
MOST = 2**21


def context(entry: str = "test:function", *, key: str = "test", attempt: int = 1) -> Context:
    """`ctx` for a function that a test calls by itself: two with one `key` are two tries of one call."""
    program = Program(entry, "function.python", "", {})
    identity = Identity(PID, "function", attempt=Attempt(attempt, key))
    return Context(PythonCall(program, identity, (), MOST))
