"""Entries by kind: those that services start and reach, and the one that is meant when none is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.entry import Entry, namespace_of
from engine.hosts.temporal.settings import reference, task_queue
from wippy_console import permissions
from wippy_console.services import registry
from wippy_console.services.errors import NotFoundError, Refused

WORKFLOW, PROCESS = "workflow.lua", "process.lua"
FUNCTIONS = ("function.lua", "function.python")
WORKER, PROCESS_HOST, CLIENT = "temporal.worker", "process.host", "temporal.client"


def entries(kind: str) -> list[Entry]:
    """The entries of a kind."""
    return registry.of_kinds(kind)


def entries_for(user: Any, permission: str, kind: str) -> list[Entry]:
    """Those of the namespaces where the user holds the right."""
    scope = permissions.scope(user, permission)
    return [] if scope.nowhere else [entry for entry in entries(kind) if scope.covers(entry.namespace)]


def queues_for(user: Any, permission: str) -> dict[str, str]:
    """The task queues, by worker entry, of the namespaces where the user holds the right."""
    scope = permissions.scope(user, permission)
    found = {entry.id: entry for entry in ([] if scope.nowhere else registry.of_kinds(WORKER, CLIENT))}
    workers = [entry for entry in found.values() if entry.kind == WORKER and scope.covers(entry.namespace)]
    return {entry.id: task_queue(entry, found.get(reference(entry, "client"))) for entry in workers}


def refuse_others(user: Any, chosen: str, usual: str) -> None:
    """Raise PermissionDenied for a worker or host of a namespace that is not the user's; the usual one serves all."""
    if chosen and chosen != usual:
        permissions.require(user, permissions.START_RUN, namespace_of(chosen))


def only(kind: str, near: str = "") -> str:
    """The id of the only entry of a kind; Refused when there are more, NotFoundError when there is none.

    Looked for in the namespace of the entry `near`, then in the namespace around that, last everywhere: each
    application brings a host and a worker of its own.
    """
    every = [entry.id for entry in entries(kind)]
    if not every:
        raise NotFoundError(f"The registry has no {kind}.")
    found = _around(every, near)
    if len(found) > 1:
        field = kind.rpartition(".")[2]
        raise Refused(f"There is more than one {kind}.", {field: [f"Choose one of {', '.join(found)}."]})
    return found[0]


def nearest(ids: Sequence[str], near: str) -> str:
    """The one that `only` means of these, "" where it would be none or several."""
    found = _around(ids, near)
    return found[0] if len(found) == 1 else ""


def _around(ids: Sequence[str], near: str) -> list[str]:
    """Those of the namespace, else of the one around it, and so on."""
    around = near.partition(":")[0]
    while around and not _within(around, ids):
        around = around.rpartition(".")[0]
    return _within(around, ids) if around else list(ids)


def _within(namespace: str, ids: Sequence[str]) -> list[str]:
    return [each for each in ids if f"{namespace_of(each)}.".startswith(f"{namespace}.")]
