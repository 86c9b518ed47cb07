"""Where a pid or name leads: to an actor here, to another host, to a name of the fleet, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.contracts.host import Host
from engine.hosts.actor.destinations import Destinations, Elsewhere, FleetName, Here, Nowhere
from engine.hosts.actor.routes import Routes
from engine.hosts.actor.table import Table
from engine.hosts.actor.world import SystemWorld
from engine.memory.fleet import MemoryFleet
from engine.pids import Pid
from tests.engine.hosts.actor.test_other_hosts import FLOWS, FlowHost
from tests.engine.hosts.actor.test_table import actor

FLOW = f"{{app:client@{FLOWS}|order-1}}"
THERE = "{node-2@app:procs|0x1}"
GONE = "{node-1@app:procs|0x9}"


class Neighbours:
    """One other node."""

    def __init__(self) -> None:
        self.node_2 = FlowHost()

    def host(self, node_id: str) -> Host | None:
        return self.node_2 if node_id == "node-2" else None


@pytest.fixture
def table() -> Iterator[Table]:
    """A table with its lock held."""
    table = Table(SystemWorld())
    with table.lock:
        yield table


def test_a_pid_leads_to_its_actor_or_its_host_or_nowhere(table: Table) -> None:
    one, flows, neighbours = actor("0x1"), FlowHost(), Neighbours()
    table.begin(one)
    destinations = Destinations(table, Routes("node-1", {}, {FLOWS: flows}, neighbours), None)
    for find in (destinations.of, destinations.of_pid):
        assert find(one.pid) == Here(one)
        assert find(FLOW) == Elsewhere(flows, FLOW)
        assert find(THERE) == Elsewhere(neighbours.node_2, THERE)
        assert find(GONE) == Nowhere(GONE, Pid.parse(GONE))
        assert find("nonsense") == Nowhere("nonsense")


def test_a_name_leads_to_who_holds_it_here_before_the_fleet(table: Table) -> None:
    one, flows, names = actor("0x1"), FlowHost(), MemoryFleet().names("node-1")
    table.begin(one)
    table.names.claim("desk", one.pid)
    table.names.claim("order", FLOW)
    destinations = Destinations(table, Routes("node-1", {}, {FLOWS: flows}), names)
    assert destinations.of("desk") == Here(one)
    assert destinations.of("order") == Elsewhere(flows, FLOW)
    assert destinations.of("till") == FleetName(names, "till")
    assert destinations.of(GONE) == Nowhere(GONE, Pid.parse(GONE))
    assert destinations.of_pid("desk") == Nowhere("desk")
