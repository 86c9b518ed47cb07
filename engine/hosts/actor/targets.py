"""What a call or spawn means in the current registry version: looked up before the lock is taken.

A catalog may read a database the first time, so nothing here runs with the lock held or on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from engine.contracts.catalog import Catalog
from engine.contracts.host import CallRequest, Host
from engine.entry import Entry
from engine.errors import UNAVAILABLE, Failure, ProgramError, UnitFailed
from engine.hosts.actor.admission import ProcessStarter
from engine.hosts.actor.failures import (
    HOST_NOT_FOUND,
    entry_not_found,
    no_handler,
    program_failure,
    unexpected,
    wrong_kind,
)
from engine.hosts.actor.options import CallOptions
from engine.hosts.actor.pools import bound_of
from engine.hosts.actor.routes import Routes
from engine.program import Program
from engine.steps import Value

logger = logging.getLogger(__name__)

Args = ParamSpec("Args")
Found = TypeVar("Found")

LOOKUPS = 2  # threads

PROCESS = "process.lua"
WORKER = "temporal.worker"


@dataclass(frozen=True, slots=True)
class CallTarget:
    """A callable entry: a function with its pool's bound, or a process with its default host."""

    program: Program
    options: CallOptions
    bound: int = 0
    host: ProcessStarter | None = None


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """A process to start on an actor host of this node."""

    host: ProcessStarter
    program: Program


@dataclass(frozen=True, slots=True)
class RemoteTarget:
    """A unit to start on a host of another kind, which does its own checks."""

    host: Host


Target = CallTarget | LocalTarget | RemoteTarget


class Targets:
    """Looks targets up; raises UnitFailed."""

    def __init__(self, catalog: Catalog, routes: Routes) -> None:
        self._catalog = catalog
        self._routes = routes
        self._threads = ThreadPoolExecutor(LOOKUPS, "lookups")

    async def on_thread(self, look_up: Callable[Args, Found], *args: Args.args, **kwargs: Args.kwargs) -> Found:
        """Look up for who is on the loop, on threads of their own: those of all else may be taken for seconds."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(look_up, *args, **kwargs))

    def close(self) -> None:
        """Look nothing up on threads any more; they end with what they do."""
        self._threads.shutdown(wait=False)

    def call(self, request: CallRequest) -> CallTarget:
        """What a call of `request.target` runs."""
        entry = self._catalog.entry(request.target)
        options = _options(entry.meta, request.options) if entry else {}
        match entry:
            case Entry(kind="function.lua" | "function.python"):
                return CallTarget(self._program(entry.id), CallOptions.read(options), bound_of(entry))
            case Entry(kind="process.lua") if host := self._default_host(entry, options):
                return CallTarget(self._program(entry.id), CallOptions.read(options), host=host)
            case _:
                raise UnitFailed(no_handler(request.target))

    def spawn(self, entry_id: str, host_id: str) -> LocalTarget | RemoteTarget:
        """Where and what a spawn of `entry_id` on `host_id` starts."""
        host = self._routes.process_hosts.get(host_id)
        if host is None:
            other = self._routes.other_hosts.get(host_id)
            if other is None:
                raise UnitFailed(self._absent(host_id))
            return RemoteTarget(other)
        return LocalTarget(host, self.process(entry_id))

    def _absent(self, host_id: str) -> Failure:
        """A worker that has not connected yet, or can't, may come; another host that is not there does not exist."""
        entry = self._catalog.entry(host_id)
        if entry is None or entry.kind != WORKER:
            return HOST_NOT_FOUND
        return Failure(UNAVAILABLE, f"worker '{host_id}' does not run: its client is not connected", retryable=True)

    def process(self, entry_id: str) -> Program:
        """The program of a process entry."""
        return self._of_kind(entry_id, PROCESS)

    def upgrade(self, current: Program, entry_id: str) -> Program:
        """The program that a unit of `current` goes on as; it stays a unit of its kind."""
        return self._of_kind(entry_id or current.entry_id, current.kind)

    def _of_kind(self, entry_id: str, kind: str) -> Program:
        entry = self._catalog.entry(entry_id)
        if entry is None:
            raise UnitFailed(entry_not_found(entry_id))
        if entry.kind != kind:
            raise UnitFailed(wrong_kind(entry_id, entry.kind, kind))
        return self._program(entry_id)

    def _program(self, entry_id: str) -> Program:
        try:
            return self._catalog.current(entry_id)
        except ProgramError as error:
            raise UnitFailed(program_failure(error)) from error

    def _default_host(self, entry: Entry, options: Mapping[str, Any]) -> ProcessStarter | None:
        host_id = entry.meta.get("default_host") or options.get("default_host")
        if not isinstance(host_id, str):
            return None
        return self._routes.process_hosts.get(host_id if ":" in host_id else f"{entry.namespace}:{host_id}")


def attempt(look_up: Callable[Args, Found], *args: Args.args, **kwargs: Args.kwargs) -> Found | Failure:
    """The result of a lookup, or the Failure that it raised."""
    try:
        return look_up(*args, **kwargs)
    except UnitFailed as error:
        return error.failure
    except Exception as error:  # a catalog may stand on a database
        logger.exception("a lookup failed")
        return unexpected(error)


def _options(meta: Mapping[str, Any], caller: Mapping[str, Value]) -> dict[str, Any]:
    own = meta.get("options")
    # An empty Lua table arrives as an empty list.
    return {key: value for part in (own, caller) if isinstance(part, Mapping) for key, value in part.items()}
