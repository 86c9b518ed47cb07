"""What whoever composes a node says of its Python functions: how they are found, and what they run in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from engine.errors import Failure
from engine.hosts.python.call import PythonCall

Callable_ = Callable[..., Any]


@contextmanager
def nothing(call: PythonCall) -> Iterator[None]:
    """Nothing around a call."""
    yield


@asynccontextmanager
async def nothing_async(call: PythonCall) -> AsyncIterator[None]:
    """Nothing around a call."""
    yield


def unknown(error: BaseException) -> Failure | None:
    """No exceptions of others."""
    return None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`resolve(entry id, callable)` finds the code, or raises UnitFailed that says what to do; `context` makes `ctx`.

    `around` is entered on the thread of each sync call, `around_async` on the loop of async ones; neither is stopped
    by force. `failure_of` knows exceptions of frameworks; `at_end` is called on a thread
    that ends.
    """

    resolve: Callable[[str, str], Callable_]
    context: Callable[[PythonCall], Any] = lambda call: call
    around: Callable[[PythonCall], AbstractContextManager[None]] = nothing
    around_async: Callable[[PythonCall], AbstractAsyncContextManager[None]] = nothing_async
    failure_of: Callable[[BaseException], Failure | None] = unknown
    at_end: Callable[[], None] = lambda: None
