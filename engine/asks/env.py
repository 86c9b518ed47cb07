"""The asks of the `env` module (docs/lua.md#env): variables that `env.variable` entries declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.asks.storages import Storages, read_only
from engine.asks.threads import on_thread
from engine.contracts.ask import AskHandler
from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import UnitFailed, invalid, not_found
from engine.registry.references import resolve
from engine.steps import Value

VARIABLE = "env.variable"
MAX_VALUE = 1 << 20


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable. `name` is what storages know it by; `public` whether Lua may use that name for its id."""

    id: str
    name: str
    public: bool
    storage: str
    default: str | None
    read_only: bool

    @classmethod
    def of(cls, entry: Entry) -> Variable:
        """The variable of an entry."""
        data: Mapping[str, Any] = entry.data
        name, storage = data.get("variable"), data.get("storage")
        return cls(
            entry.id,
            name or entry.name,
            bool(name),
            resolve(storage, entry.namespace) if storage else "",
            data.get("default"),
            bool(data.get("readonly") or data.get("read_only")),
        )


class EnvAsks:
    """`handlers` are for `LocalNode`. A memory storage lives as long as this object does."""

    def __init__(self, catalog: Catalog, storages: Storages) -> None:
        self._catalog = catalog
        self._storages = storages

    def handlers(self) -> Mapping[str, AskHandler]:
        """Every ask by name."""
        return {
            "env.resolve": self._resolve,
            "env.get": self._get,
            "env.set": self._set,
            "env.get_all": self._get_all,
        }

    def value_of(self, name: str) -> str | None:
        """The value of a variable by its id or public name; None when it is not declared or has none."""
        variable = self._found(name)
        return self._value(variable) if variable else None

    async def _resolve(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(name or id) -> {id, name}; NotFound."""
        variable = self._variable(args[0])
        return {"id": variable.id, "name": variable.name}

    async def _get(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(name or id) -> its value; NotFound when it has none."""
        variable = self._variable(args[0])
        value = await on_thread(self._value, variable)
        if value is None:
            raise UnitFailed(not_found(f"environment variable '{variable.name}' is not set"))
        return value

    async def _set(self, pid: str, args: tuple[Value, ...]) -> Value:
        """(name or id, value) -> True; PermissionDenied when it can only be read."""
        variable, value = self._variable(args[0]), args[1]
        if variable.read_only or not variable.storage:
            raise UnitFailed(read_only(f"environment variable '{variable.name}'"))
        if not isinstance(value, str) or "\0" in value or len(value) > MAX_VALUE:
            raise UnitFailed(
                invalid(f"the value of '{variable.name}' must be UTF-8 without NUL, at most {MAX_VALUE} long")
            )
        await on_thread(self._storages.put, variable.storage, variable.name, value)
        return True

    async def _get_all(self, pid: str, args: tuple[Value, ...]) -> Value:
        """() -> [{name, value}] of public variables that have a value."""
        variables = {each.name: each for each in reversed(self._declared()) if each.public}
        found = await on_thread(lambda: [(name, self._value(each)) for name, each in variables.items()])
        return [{"name": name, "value": value} for name, value in found if value is not None]

    def _declared(self) -> list[Variable]:
        return [Variable.of(entry) for entry in self._catalog.entries(VARIABLE)]

    def _variable(self, name: Value) -> Variable:
        """By id, or by name: the first by id that has the name."""
        found = self._found(name)
        if found is None:
            raise UnitFailed(not_found(f"environment variable '{name}' is not declared"))
        return found

    def _found(self, name: Value) -> Variable | None:
        if isinstance(name, str) and ":" in name:
            entry = self._catalog.entry(name)
            return Variable.of(entry) if entry and entry.kind == VARIABLE else None
        return next((each for each in self._declared() if each.public and each.name == name), None)

    def _value(self, variable: Variable) -> str | None:
        value = self._storages.get(variable.storage, variable.name) if variable.storage else None
        return variable.default if value is None else value
