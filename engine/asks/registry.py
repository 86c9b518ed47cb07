"""The asks of the `registry` module (docs/lua.md#registry), over a `RegistryAccess`.

Lua holds numbers of versions, never entries that it did not ask for. A version None is the newest.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any

from engine.asks import failures
from engine.asks.threads import on_thread
from engine.contracts.ask import AskHandler
from engine.contracts.registry import Author, RegistryAccess
from engine.entry import Entry
from engine.errors import UnitFailed, invalid
from engine.registry import filters
from engine.registry.changes import Changes, diff
from engine.registry.from_lua import NoEntryError, read_entry, read_id
from engine.steps import Value

CREATE, UPDATE, DELETE = "entry.create", "entry.update", "entry.delete"


class RegistryAsks:
    """`handlers` are for `LocalNode`, or the Driver of `engine.testing`."""

    def __init__(self, access: RegistryAccess) -> None:
        self._access = access

    def handlers(self) -> Mapping[str, AskHandler]:
        """Every ask by name."""
        return {
            "registry.current": self._current,
            "registry.versions": self._versions,
            "registry.version": self._version,
            "registry.beside": self._beside,
            "registry.get": self._get,
            "registry.find": self._find,
            "registry.delta": self._delta,
            "registry.apply": self._apply,
            "registry.apply_version": self._apply_version,
        }

    # --- reading ----------------------------------------------------------------------------------

    async def _current(self, pid: str, args: tuple[Value, ...]) -> Value:
        return await self._access.current()

    async def _versions(self, pid: str, args: tuple[Value, ...]) -> Value:
        return list(await self._access.versions())

    async def _version(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(number) -> the number; NotFound when there is no such version."""
        await self._access.entries(args[0])
        return args[0]

    async def _beside(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(number, -1 or 1) -> the number of the version before or after it, None at the end."""
        number, way = args
        numbers = await self._access.versions()
        found = bisect_left(numbers, number) - 1 if way < 0 else bisect_right(numbers, number)
        return numbers[found] if 0 <= found < len(numbers) else None

    async def _get(self, pid: str, args: tuple[Value, ...]) -> Value:
        version, entry_id = args
        entry = (await self._entries(version)).get(entry_id)
        if entry is None:
            raise UnitFailed(failures.no_entry(entry_id))
        return entry.to_json()

    async def _find(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(version, filter) -> views of the entries that fit, by id. On a thread: a filter may take a while."""
        version, conditions = args
        entries = await self._entries(version)
        return await on_thread(_found, entries, conditions if isinstance(conditions, dict) else {})

    async def _entries(self, version: int | None) -> Mapping[str, Entry]:
        return await self._access.entries(await self._access.current() if version is None else version)

    async def _delta(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(entries, entries) -> the operations that lead from the first to the second."""
        old, new = (_by_id(each) for each in args)
        changes = diff(old, new)
        return [
            *({"kind": CREATE, "entry": each.to_json()} for each in changes.create),
            *({"kind": UPDATE, "entry": each.to_json()} for each in changes.update),
            *({"kind": DELETE, "entry": old[each].to_json()} for each in changes.delete),
        ]

    # --- publishing -------------------------------------------------------------------------------

    async def _apply(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(asking entry, base version, operations) -> the number of the version that holds them."""
        entry, base, operations = args
        changes = _changes(operations, await self._access.entries(base))
        return await self._access.apply(changes, base, Author(pid, entry))

    async def _apply_version(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(asking entry, number) -> the number, which is in force again."""
        entry, number = args
        await self._access.restore(number, Author(pid, entry))
        return number


def _found(entries: Mapping[str, Entry], conditions: Mapping[Any, Any]) -> list[dict[str, Any]]:
    try:
        fits = filters.matcher(conditions)
        return [entry.to_json() for entry in entries.values() if fits(entry)]
    except filters.FilterError as error:
        raise UnitFailed(invalid(str(error))) from None


def _by_id(values: list[Value]) -> dict[str, Entry]:
    try:
        entries = [read_entry(value) for value in values]
    except NoEntryError as error:
        raise UnitFailed(invalid(str(error))) from None
    return {entry.id: entry for entry in entries}


def _changes(operations: list[Mapping[str, Value]], before: Mapping[str, Entry]) -> Changes:
    try:
        return Changes(
            create=tuple(_new(each["entry"], before) for each in operations if each["kind"] == CREATE),
            update=tuple(_known(each["entry"], before) for each in operations if each["kind"] == UPDATE),
            delete=tuple(_id_of_known(each["entry"], before) for each in operations if each["kind"] == DELETE),
        )
    except NoEntryError as error:
        raise UnitFailed(invalid(str(error))) from None


def _new(value: Value, before: Mapping[str, Entry]) -> Entry:
    entry = read_entry(value)
    if entry.id in before:
        raise UnitFailed(failures.exists(entry.id))
    return entry


def _known(value: Value, before: Mapping[str, Entry]) -> Entry:
    return read_entry(value, before[_id_of_known(value, before)])


def _id_of_known(value: Value, before: Mapping[str, Entry]) -> str:
    entry_id = read_id(value)
    if entry_id not in before:
        raise UnitFailed(failures.no_entry(entry_id))
    return entry_id
