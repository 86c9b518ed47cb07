"""The health of the installation, as its home page has it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from wippy_console import permissions
from wippy_console.api import services
from wippy_console.api.services import ServiceOut
from wippy_console.services import health

router = Router()


class TemporalOut(Schema):
    """A server and namespace where runs are; `message` says what is wrong."""

    address: str
    namespace: str
    clients: list[str]
    version: str
    ok: bool
    away: bool
    message: str


class Drift(Schema):
    """Where a Python function of code and its entry differ."""

    entry: str
    text: str


class Unsent(Schema):
    """A start or signal of Django code that waits to be sent, and why."""

    what: str
    why: str


class StorageOut(Schema):
    """Whether what happens can be kept: `free` bytes on the disk of the data folder, the last heartbeat of a node that
    was written, and what is wrong, or "".
    """

    free: int
    written_at: datetime | None
    problem: str


class Health(Schema):
    """`ok` when nothing is amiss: Temporal answers, a node is alive, each queue is served, no service fails, ..."""

    ok: bool
    temporals: list[TemporalOut]
    nodes: int
    units: int
    queues: list[str]
    unserved: list[str]
    quarantined: int
    services: list[ServiceOut]
    drifts: list[Drift]
    unsent: list[Unsent]
    search: str
    storage: StorageOut


@router.get("", response=Health, summary="Look at the health of all")
def show(request: HttpRequest) -> Any:
    """Temporal, nodes, queues, and what is amiss, as far as you may see it; Temporal is asked for 1.5 seconds at most.

    `services` has those that fail, `search` says why searches for runs are slow, if they are. The status is 200 also
    when something is amiss.
    """
    permissions.require(request.user, permissions.VIEW_FLEET)
    found = health.asked(request.user)
    amiss = ("unserved", "quarantined", "troubled", "drifts", "unsent", "search")
    return {
        "ok": bool(found["nodes"])
        and all(each.ok for each in found["temporals"])
        and not any(map(found.get, amiss))
        and not found["storage"].problem,
        "temporals": [_temporal(each) for each in found["temporals"]],
        "nodes": len(found["nodes"]),
        "units": found["units"],
        "queues": sorted(found["queues"]),
        "unserved": found["unserved"],
        "quarantined": found["quarantined"],
        "services": [services.out(each) for each in found["troubled"]],
        "drifts": [{"entry": each.entry_id, "text": each.text} for each in found["drifts"]],
        "unsent": [{"what": str(each), "why": each.why} for each in found["unsent"]],
        "search": found["search"],
        "storage": asdict(found["storage"]),
    }


def _temporal(found: Any) -> dict[str, Any]:
    place = found.place
    return {
        "address": place.address, "namespace": place.namespace, "clients": list(place.clients),
        "version": found.version, "ok": found.ok, "away": found.is_away, "message": found.message,
    }  # fmt: skip
