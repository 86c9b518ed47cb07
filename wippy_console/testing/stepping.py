"""Lua code step by step: no server, no database of the product, a clock that the test moves.

    paid = {"shop:charge": lambda order: {"paid": True}}
    stepping = driver.run("shop/entries", "shop:fulfil", {"id": 1}, functions=paid)
    stepping.send("decision", {"approved": True})
    stepping.advance(hours=24)
    assert stepping.value == {"state": "shipped"}

Calls that `functions` has no answer for are made where their target is Lua or Python code of the entries.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from engine.attempt import Attempt
from engine.entry import Entry
from engine.errors import UnitFailed, not_found
from engine.hosts.python.call import PythonCall
from engine.hosts.python.failures import failure_of
from engine.hosts.python.parameters import built
from engine.hosts.python.values import outgoing
from engine.memory.catalog import MemoryCatalog
from engine.registry.kinds import LUA_FUNCTION, PYTHON_FUNCTION
from engine.steps import Identity, Value
from engine.testing import Driver
from wippy_console.sdk.context import Context
from wippy_console.testing import entries as reading

PID = "{test@step|1}"
MOST = 2**21


class Stepping:
    """Makes drivers, and ends what they hold."""

    def __init__(self) -> None:
        self._drivers: list[Driver] = []

    def run(
        self,
        source: str | Path | Entry,
        entry: str,
        *args: Value,
        functions: Mapping[str, Callable[..., Value]] | None = None,
    ) -> Driver:
        """A driver of one run of the entry, after its first step (`engine.testing.Driver`)."""
        catalog = MemoryCatalog(reading.read(source))
        program = catalog.current(entry)
        made = Driver(program, program.kind.partition(".")[0], args, functions=_Functions(catalog, functions or {}))
        self._drivers.append(made)
        return made

    def close(self) -> None:
        """Close all of them."""
        for each in self._drivers:
            each.close()


class _Functions(Mapping[str, Callable[..., Value]]):
    """What answers calls: the test's own, else the code of the entries."""

    def __init__(self, catalog: MemoryCatalog, given: Mapping[str, Callable[..., Value]]) -> None:
        self._catalog = catalog
        self._given = given
        self._calls = 0

    def __iter__(self) -> Iterator[str]:
        yield from {*self._given, *(each.id for kind in (LUA_FUNCTION, PYTHON_FUNCTION) for each in self._all(kind))}

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getitem__(self, entry_id: str) -> Callable[..., Value]:
        if entry_id in self._given:
            return self._given[entry_id]
        return lambda *args: self._called(entry_id, args)

    def _all(self, kind: str) -> list[Entry]:
        return self._catalog.entries(kind)

    def _called(self, entry_id: str, args: tuple[Value, ...]) -> Value:
        entry = self._catalog.entry(entry_id)
        self._calls += 1
        match entry:
            case Entry(kind="function.python"):
                return self._python(entry_id, args)
            case Entry(kind="function.lua"):
                return _ended(Driver(self._catalog.current(entry_id), "function", args, functions=self))
            case _:
                raise UnitFailed(not_found(f"no handler registered for target {entry_id}"))

    def _python(self, entry_id: str, args: tuple[Value, ...]) -> Value:
        """On the thread of the test, in its transaction."""
        from wippy_console.services import python_functions  # noqa: PLC0415 - needs the apps
        from wippy_console.worker.python import failure_of as known  # noqa: PLC0415

        program, attempt = self._catalog.current(entry_id), Attempt(1, f"test/{self._calls}")
        call = PythonCall(program, Identity(PID, "function", attempt=attempt), args, MOST)
        try:
            function = python_functions.resolved(entry_id, program.method)
            value = function(Context(call), *built(function, entry_id, args))
            return outgoing(asyncio.run(value) if inspect.iscoroutine(value) else value, MOST)
        except Exception as error:
            raise UnitFailed(failure_of(error, known)) from error


def _ended(driver: Driver) -> Value:
    if driver.waiting:
        raise UnitFailed(not_found("a function that a step calls may not wait: give an answer by `functions`"))
    return driver.value
