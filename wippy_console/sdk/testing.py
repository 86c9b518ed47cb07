"""What tests of Django apps use; a pytest plugin as well (`pytest -p wippy_console.sdk.testing`).

`context` is `ctx` for a function that a test calls by itself. `drive` (as a fixture: `driver`) runs a workflow, process
or function of a folder on the step driver, without any server: its Python functions are called in the test's own
process, and a timer fires when the test moves the clock (`engine.testing.Driver`).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.attempt import Attempt
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.python import values
from engine.hosts.python.call import PythonCall
from engine.hosts.python.failures import failure_of
from engine.hosts.python.parameters import built
from engine.program import Program
from engine.registry import tree as trees
from engine.registry.kinds import PYTHON_FUNCTION
from engine.registry.linking import link
from engine.steps import Identity, Value
from engine.testing import Driver
from wippy_console.sdk.context import Context
from wippy_console.services import python_functions
from wippy_console.services.django_failures import failure_of as django_failure

PID = "{test@python|1}"
MOST = 2**21
SUFFIXES = (".yaml", ".yml", ".lua")
Function = Callable[..., Any]


def context(entry: str = "test:function", *, key: str = "test", attempt: int = 1) -> Context:
    """`ctx` for a function that a test calls by itself: two with one `key` are two tries of one call."""
    program = Program(entry, PYTHON_FUNCTION, "", {})
    identity = Identity(PID, "function", attempt=Attempt(attempt, key))
    return Context(PythonCall(program, identity, (), MOST))


def drive(folder: Path | str, entry: str, *args: Any, functions: Mapping[str, Function] | None = None) -> Driver:
    """Run an entry of the folder's YAML files until it waits or ends; `functions` stand in for those it calls.

    A stand-in takes the arguments of the call, without `ctx`.
    """
    tree = trees.parse(_files(Path(folder)))
    if tree.problems:
        raise ValueError("\n".join(map(str, tree.problems)))
    keys = count(1)
    called = {each.id: _python(each, keys) for each in tree.entries.values() if each.kind == PYTHON_FUNCTION}
    program = link(entry, tree.entries)
    given = values.outgoing(list(args), MOST, "arguments")
    assert isinstance(given, list)
    kind = program.kind.partition(".")[0]
    return Driver(program, kind, given, functions={**called, **(functions or {})})


@pytest.fixture
def driver() -> Iterator[Callable[..., Driver]]:
    """`drive`, and the end of what it began."""
    with ExitStack() as stack:

        def begin(*args: Any, **options: Any) -> Driver:
            made = drive(*args, **options)
            stack.callback(made.close)
            return made

        yield begin


def _files(folder: Path) -> dict[str, bytes]:
    """What `apply` reads: no hidden folder, as that of a virtual environment."""
    found = {each.relative_to(folder): each for each in folder.rglob("*") if each.suffix in SUFFIXES and each.is_file()}
    return {
        path.as_posix(): file.read_bytes()
        for path, file in found.items()
        if not any(part.startswith(".") for part in path.parts)
    }


def _python(entry: Entry, keys: Iterator[int]) -> Function:
    def call(*args: Value) -> Value:
        ctx = context(entry.id, key=f"call-{next(keys)}")
        try:
            function = python_functions.resolved(entry.id, str(entry.data["callable"]))
            value = function(ctx, *built(function, entry.id, args))
            return values.outgoing(asyncio.run(value) if inspect.iscoroutine(value) else value, MOST)
        except Exception as error:
            raise UnitFailed(failure_of(error, django_failure)) from error

    return call
