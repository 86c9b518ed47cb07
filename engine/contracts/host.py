"""The contract of a host: who runs units, and what may be asked of one.

Implementations stand in `engine/hosts/`. All methods are coroutines on the node's event loop; operational failures
are raised as `UnitFailed`, whose failure has one of the kinds of engine/errors.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from engine.attempt import Attempt
from engine.security.context import Security
from engine.steps import Exited, Value


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A function call from outside the callee. `caller` is a pid or ""; `security` is by reference.

    `size`: about how many bytes it holds, when that is many and a unit of the same node asks. `attempt` is what the
    asker knows of the call; it stays on this node.
    """

    target: str
    args: tuple[Value, ...] = ()
    options: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    caller: str = ""
    security: Security | None = None
    size: int = field(default=0, compare=False)
    attempt: Attempt | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SpawnRequest:
    """A process or workflow to start. `parent` is the spawner's pid or ""; `messages` are (topic, payloads).

    `security` is by reference, `size` as that of a `CallRequest`.
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
    size: int = field(default=0, compare=False)


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
