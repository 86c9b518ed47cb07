"""Asks nodes, through Temporal: calls of functions, and what is done to the processes and services that they run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from engine.errors import ALREADY_EXISTS, NOT_FOUND, TIMEOUT, UNAVAILABLE, UnitFailed
from engine.hosts.temporal.node.client import NodeClient, Unanswered
from engine.hosts.temporal.settings import reference
from engine.pids import Pid
from wippy_console.services import by_kind, fleet, temporal
from wippy_console.services.by_kind import CLIENT, WORKER
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable

T = TypeVar("T")
Act = Callable[[NodeClient], Coroutine[Any, Any, T]]

ANSWERED_WITHIN = 45.0
_MARGIN = 15.0

# A node that died while it did it leaves a timeout: whether it was done is not known.
_REFUSALS = {NOT_FOUND: NotFoundError, UNAVAILABLE: Unavailable, TIMEOUT: Unavailable, ALREADY_EXISTS: Conflict}


class NotAsked(Unavailable):
    """There was nobody to ask: nothing was done."""


def ask(act: Act[T]) -> T:
    """Ask nodes something; NotFoundError, Conflict, Refused, or Unavailable, which leaves open whether it was done."""
    try:
        return temporal.run(act(_client()), ANSWERED_WITHIN)
    except UnitFailed as error:
        raise _REFUSALS.get(error.failure.kind, Refused)(error.failure.message) from error


def wait_for(act: Act[T], timeout: float) -> T:
    """Ask for what takes up to so many seconds; UnitFailed as it came, Unavailable when no node answers."""
    found, failed = temporal.run(_apart(act(_client())), timeout + _MARGIN)
    if failed is not None:
        raise failed
    return found  # type: ignore[return-value] # of the type that the act has


def begin(act: Act[T]) -> Future[T]:
    """Ask for what nobody waits for here; NotAsked. The future raises UnitFailed, `Unanswered` when no node took it."""
    return temporal.begin(act(_client()))


async def _apart(asked: Coroutine[Any, Any, T]) -> tuple[T | None, UnitFailed | None]:
    """The value, or how what was asked for failed: that of a function may be Unavailable, too, and we are not."""
    try:
        return await asked, None
    except Unanswered:
        raise
    except UnitFailed as error:
        return None, error


def node_of(pid: str) -> str:
    """The id of the node that a pid lives on; NotFoundError for what is no pid of a process."""
    parsed = Pid.parse(pid)
    if parsed is None:
        raise NotFoundError(f"{pid} is no pid: it looks like {{node@host|id}}, with its braces.")
    if not fleet.is_alive(parsed.node):
        raise NotFoundError(f"{pid} is not here: its node does not run.")
    return parsed.node


def _client() -> NodeClient:
    """By the client of a worker, since nodes are where workers are; NotAsked when none can be reached."""
    if not fleet.alive().exists():
        raise NotAsked("No worker is alive. Start one: manage.py worker.")
    clients = [reference(entry, "client") for entry in by_kind.entries(WORKER)] or [by_kind.only(CLIENT)]
    try:
        return NodeClient(temporal.client(clients[0]))
    except Unavailable as error:
        raise NotAsked(error.message) from error
