"""A node whose Python functions are those of `code.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from engine.entry import Entry
from engine.errors import UnitFailed, not_found
from engine.hosts.python.functions import PythonFunctions
from engine.hosts.python.surroundings import Surroundings
from tests.engine.hosts.actor.support import Lab, lab
from tests.engine.hosts.python import code
from wippy_console.sdk.context import Context


def python(name: str, **fields: Any) -> Entry:
    """The entry `app:NAME` for the function of that name."""
    meta = fields.pop("meta", {})
    return Entry(
        f"app:{name}", "function.python", meta, {"callable": f"tests.engine.hosts.python.code:{name}", **fields}
    )


def resolve(entry_id: str, text: str) -> Callable[..., Any]:
    """Only functions of `code.py`."""
    function: Callable[..., Any] | None = getattr(code, text.partition(":")[2], None)
    if function is None:
        raise UnitFailed(not_found(f"{text} is no function here"))
    return function


@asynccontextmanager
async def python_lab(*entries: Entry, threads: int = 4, surroundings: Surroundings | None = None) -> AsyncIterator[Lab]:
    """The node, stopped at the end."""
    functions = PythonFunctions(surroundings or Surroundings(resolve, Context), threads=threads)
    try:
        async with lab(*entries, operations=functions.operations()) as it:
            yield it
    finally:
        await functions.close()
