"""The health of the installation, as far as a user may see it: what its nodes, queues and services are up to."""

from __future__ import annotations

from typing import Any

from wippy_console import permissions
from wippy_console.services import (
    by_kind,
    drift,
    fleet,
    outgoing,
    processes,
    quarantine,
    runs,
    storage,
    subscriptions,
    temporal_server,
)


def known(user: Any) -> dict[str, Any]:
    """What rows say of the fleet: `nodes` alive, `units`, `queues` served and `unserved`, `quarantined`, `troubled`."""
    nodes = [node for node in fleet.nodes_for(user) if node.is_alive]
    served = fleet.queues()
    wanted = set(by_kind.queues_for(user, permissions.VIEW_FLEET).values())
    return {
        "nodes": nodes,
        "units": sum(node.units for node in nodes),
        "queues": wanted & served,
        "unserved": sorted(wanted - served),
        "quarantined": quarantine.visible(user).count(),
        "troubled": [each for each in processes.services(user) if each.is_trouble],
    }


def asked(user: Any) -> dict[str, Any]:
    """The same, and how Temporal answers now (`temporals`), which may take 1.5 seconds; whether the database takes
    writes, and what else is amiss.
    """
    return known(user) | {
        "temporals": temporal_server.health_for(user),
        "search": runs.search_problem(),
        "drifts": drift.of_all(user),
        "unsent": outgoing.unsent(user),
        "stopped": subscriptions.stopped(user),
        "storage": storage.storage(),
    }
