"""The contract of a host: who runs units, who finds programs, and how pids find their hosts.

Implementations stand in `engine/hosts/`. All methods are coroutines on the node's event loop;
operational failures are raised as `UnitFailed` with a `Failure` whose kind lua-api names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from engine.entry import Entry
from engine.program import Program
from engine.registry.changes import Changes
from engine.security import Security
from engine.steps import Exited, Value


class Catalog(Protocol):
    """What hosts know of the registry: synchronous, cached, safe to call from any thread.

    Implemented by the console's registry service and by `engine.testing` from entries in memory.
    """

    def entry(self, entry_id: str) -> Entry | None:
        """The entry in the current registry version, or None."""
        ...

    def entry_at(self, entry_id: str, version: int) -> Entry | None:
        """The entry as it stood in that registry version, or None; the same answer for ever.

        Workflows read options of what they call by this, so that a replay sees what the run saw.
        """
        ...

    def entries(self, kind: str) -> list[Entry]:
        """All entries of one kind in the current version, by id."""
        ...

    def current(self, entry_id: str) -> Program:
        """The program of the entry in the current version; raises ProgramError when there is none."""
        ...

    def pinned(self, digest: str) -> Program:
        """The immutable program of that digest; raises ProgramError when it is not known."""
        ...

    def version(self) -> int:
        """The number of the current registry version (0 when the registry is empty)."""
        ...


@dataclass(frozen=True, slots=True)
class Author:
    """The unit that publishes: its pid, and the entry that it runs."""

    pid: str
    entry: str


class RegistryAccess(Protocol):
    """The registry as Lua code uses it (lua-api 11). Versions are immutable and numbered from 1; 0 is empty."""

    async def current(self) -> int:
        """The number of the newest version."""
        ...

    async def versions(self) -> Sequence[int]:
        """The numbers of all versions, ascending."""
        ...

    async def entries(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version, in order of their ids; NotFound. Not to be changed."""
        ...

    async def apply(self, changes: Changes, base: int, author: Author) -> int:
        """Publish what was made on version `base`; the number of the version that holds it.

        When it returns, units that start on this node run by it. Conflict when others changed the same entries since,
        PermissionDenied for what Lua code may not publish, Invalid with all `problems` in the details.
        """
        ...


Service = Callable[[str, tuple[Value, ...]], Awaitable[Value]]
"""Answers an `Ask` on the loop: (pid of the asker, arguments) -> value; raises UnitFailed."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A function call from outside the callee. `caller` is a pid or ""; `security` is by reference."""

    target: str
    args: tuple[Value, ...] = ()
    options: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    caller: str = ""
    security: Security | None = None


@dataclass(frozen=True, slots=True)
class SpawnRequest:
    """A process or workflow to start. `parent` is the spawner's pid or ""; `messages` are (topic, payloads).

    `security` is by reference.
    """

    entry: str
    host: str
    args: tuple[Value, ...] = ()
    parent: str = ""
    name: str = ""
    options: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    messages: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    security: Security | None = None


Watcher = Callable[[Exited], None]


class Host(Protocol):
    """Runs units: one per `process.host` and per `temporal.worker` entry, named by that entry's id.

    A workflow host is a client of Temporal here: it starts, signals and ends workflows.
    """

    id: str

    async def spawn(self, request: SpawnRequest) -> str:
        """Start the unit and return its pid; NotFound, AlreadyExists, LimitExceeded, Invalid, Unavailable."""
        ...

    async def send(self, pid: str, topic: str, payloads: tuple[Value, ...], sender: str) -> None:
        """Deliver a message in order per sender; NotFound when the unit is gone."""
        ...

    async def cancel(self, pid: str, reason: str, sender: str) -> None:
        """Deliver CANCEL."""
        ...

    async def terminate(self, pid: str, reason: str, sender: str) -> None:
        """End the unit now."""
        ...

    async def watch(self, pid: str, token: str, watcher: Watcher) -> None:
        """Call `watcher` once, on the loop, when the unit ends. `token` names the watch (a watcher's pid).

        NotFound when there is no such unit; a watch on a finished workflow fires at once.
        """
        ...

    async def unwatch(self, pid: str, token: str) -> None:
        """Drop the watch `token`; no call comes any more. Unknown tokens are ignored."""
        ...


@runtime_checkable
class ProcessHost(Host, Protocol):
    """A host whose units live in this OS process."""

    async def spawn_watched(self, request: SpawnRequest, token: str, watcher: Watcher) -> str:
        """`spawn` and `watch` in one, so that not even the shortest life goes unseen."""
        ...


class Node(Protocol):
    """One worker OS process as its units see it: the router between hosts. `engine.node` implements it."""

    id: str
    catalog: Catalog

    def host(self, host_id: str) -> Host | None:
        """The host of that entry id on this node, or None."""
        ...

    def host_of(self, pid: str) -> Host | None:
        """The host that a pid belongs to, on this node or another, or None when malformed or unknown."""
        ...

    async def call(self, request: CallRequest) -> Value:
        """Run a function on this node (the actor host's `call`), with retries and timeouts of its options."""
        ...

    async def find(self, dest: str) -> str | None:
        """The pid that `dest` is or names, on this node or in the fleet, or None; UnitFailed: Unavailable."""
        ...

    async def link(self, pid: str, peer: str) -> None:
        """Let an actor of this node hold its side of a link with one of another; NotFound when it is gone."""
        ...

    async def unlink(self, pid: str, peer: str) -> None:
        """Undo `link`; whatever is gone has no link."""
        ...
