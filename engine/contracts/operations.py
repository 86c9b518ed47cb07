"""The contract of what operators see and move of a node: its processes, its hosts, its services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Doing:
    """An operation under way (`engine.contracts.operation`), as people read it; `since` is ns since the epoch."""

    text: str
    since: int


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One running unit as the console lists it. `started` is ns since the epoch.

    `watchers` are the pids of those who monitor it, and `service <entry id>` of the service that it runs for; `doing`
    the oldest of its operations, `operations` how many there are.
    """

    pid: str
    entry: str
    kind: str
    host: str
    state: str
    started: int
    mailbox: int
    mailbox_limit: int
    parent: str
    links: tuple[str, ...]
    names: tuple[str, ...]
    watchers: tuple[str, ...]
    doing: tuple[Doing, ...] = ()
    operations: int = 0


@dataclass(frozen=True, slots=True)
class HostInfo:
    """One actor host as the console lists it. Limits are 0 where there is none.

    `waiting` counts messages in the mailboxes of its units; `refused` counts what it did not take since the node
    started: units over `max_processes` or `max_memory`, and messages over the `queue_size` of a mailbox. Memory in
    bytes: what its units held after their last steps.
    """

    id: str
    running: int
    max_processes: int
    queue_size: int
    waiting: int
    refused_units: int
    refused_messages: int
    memory: int = 0
    max_memory: int = 0


class Operations(Protocol):
    """What the console may ask of one node; coroutines of its loop."""

    def describe(self, pid: str) -> ProcessInfo | None:
        """A running process or function call, None when it is gone."""
        ...

    async def start_service(self, entry_id: str) -> None:
        """Start one service, stopping it before if it runs; UnitFailed (NotFound) when it is not this node's."""
        ...

    async def stop_service(self, entry_id: str) -> None:
        """Stop one service; UnitFailed (NotFound) when it is not this node's."""
        ...
