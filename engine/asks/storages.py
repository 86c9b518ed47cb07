"""Storages of environment variables: memory, the process environment, fixed values, files, and routers over them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.asks.dotenv import DotenvFile
from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import PERMISSION_DENIED, Failure, UnitFailed, invalid, not_found
from engine.registry.references import resolve

ROUTER = "env.storage.router"
MAX_HOPS = 8


def read_only(what: str) -> Failure:
    """Something that can't be set."""
    return Failure(PERMISSION_DENIED, f"{what} is read-only", retryable=False)


class Storages:
    """Reads and writes by the id of a storage's entry; from any thread, and blocking. Raises UnitFailed.

    `environ` is what Lua may know of the process environment. Paths of files begin in `folder`, whose parent is the
    installation's own: no other file of it is open to Lua.
    """

    def __init__(self, catalog: Catalog, environ: Mapping[str, str], folder: Path) -> None:
        self._catalog = catalog
        self._environ = environ
        self._folder = folder
        self._memory: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def get(self, storage: str, name: str) -> str | None:
        """The value, None when the storage has none."""
        entry = self._entry(storage)
        match entry.kind:
            case "env.storage.memory":
                return self._memory.get(storage, {}).get(name)
            case "env.storage.os":
                return self._environ.get(name)
            case "env.storage.static":
                return _mapping(entry.data.get("values")).get(name)
            case "env.storage.file":
                return self._file(entry).get(name)
            case kind if kind == ROUTER:
                found = (self.get(each, name) for each in self._routes(entry))
                return next((value for value in found if value is not None), None)
            case kind:
                raise UnitFailed(invalid(f"storages of the kind {kind} are not provided here"))

    def put(self, storage: str, name: str, value: str) -> None:
        """Set a value; PermissionDenied where it can't be. A router writes into its first storage."""
        entry = self._entry(storage)
        match entry.kind:
            case "env.storage.memory":
                with self._lock:
                    self._memory.setdefault(storage, {})[name] = value
            case "env.storage.file":
                self._file(entry).put(name, value)
            case kind if kind == ROUTER:
                self.put(next(iter(self._routes(entry)), ""), name, value)
            case _:
                raise UnitFailed(read_only(f"storage '{storage}'"))

    def _entry(self, storage: str) -> Entry:
        entry = self._catalog.entry(storage)
        if entry is None or not entry.kind.startswith("env.storage."):
            raise UnitFailed(not_found(f"environment storage '{storage}' not found"))
        return entry

    def _routes(self, router: Entry, hops: int = 0) -> list[str]:
        """The storages that a router leads to, in order; those of routers among them in their place."""
        if hops >= MAX_HOPS:
            raise UnitFailed(invalid(f"the router '{router.id}' leads in a circle"))
        found: list[str] = []
        for each in router.data.get("storages") or ():
            target = self._entry(resolve(str(each), router.namespace))
            found += self._routes(target, hops + 1) if target.kind == ROUTER else [target.id]
        return found

    def _file(self, entry: Entry) -> DotenvFile:
        data = entry.data
        path = self._path(entry.id, str(data.get("file_path") or ""))
        return DotenvFile(path, bool(data.get("auto_create")), data.get("file_mode"), data.get("dir_mode"))

    def _path(self, storage: str, given: str) -> Path:
        own = self._folder.resolve()
        path = (own / given).resolve()
        ours = path.is_relative_to(own) and path != own
        foreign = Path(given).is_absolute() and not path.is_relative_to(own.parent)
        if not given or not (ours or foreign):
            raise UnitFailed(invalid(f"storage '{storage}': the path {given!r} leads out of the folder of such files"))
        return path


def _mapping(value: Any) -> Mapping[str, str]:
    return value if isinstance(value, Mapping) else {}
