"""Two worker processes as one fleet; one of them is killed with -9."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from engine.entry import Entry
from engine.host import SpawnRequest
from engine.hosts.temporal.fleet import Fleet
from tests.console.test_worker import Server, lines, log, publish, queue, running_node, server, until
from wippy_console.models import Claim, Node, Service

__all__ = ["log", "queue", "server"]

pytestmark = pytest.mark.django_db(transaction=True)

TICKET = """
local logger = require("logger")
return { main = function()
    assert(process.registry.register("desk", nil, process.registry.STRONG))
    logger:info("desk", { pid = process.pid() })
    for message in process.inbox():iter() do
        process.send(message:from(), "ticket", message:payload():data())
    end
end }
"""
# On every node a customer asks the desk for a ticket, and watches it.
CUSTOMER = """
local logger, time = require("logger"), require("time")
return { main = function()
    local tickets, events = process.listen("ticket"), process.events()
    local desk
    repeat
        desk = process.registry.lookup("desk")
        if not desk then time.sleep("100ms") end
    until desk
    assert(process.send("desk", "please", 7))
    local ticket = tickets:receive()
    assert(process.monitor(desk))
    logger:info("served", { by = desk, ticket = ticket })
    local event = events:receive()
    logger:info("closed", { by = event.from, why = event.result.error:message() })
    return ticket
end }
"""


def lua(entry_id: str, kind: str, source: str) -> Entry:
    return Entry(entry_id, kind, {}, {"source": source, "method": "main", "modules": ["logger", "time"]})


def service(entry_id: str, process: str) -> Entry:
    lifecycle = {"auto_start": True}
    return Entry(entry_id, "process.service", {}, {"process": process, "host": "app:processes", "lifecycle": lifecycle})


def spawn(server: Server, entry_id: str, os_pid: int) -> str:
    """Start a process on the node of that OS process; its pid."""
    node = Node.objects.get(os_pid=os_pid)
    request = SpawnRequest(entry_id, "app:processes")
    return str(server.do(lambda client: Fleet(client).spawn(request, node.id)))


def test_a_killed_nodes_services_names_and_watches_go_to_the_other_at_once(
    server: Server, log: Path, tmp_path: Path
) -> None:
    publish(
        lua("app:ticket", "process.lua", TICKET),
        lua("app:customer", "process.lua", CUSTOMER),
        service("app:desk", "app:ticket"),
    )
    other = tmp_path / "other.log"
    with running_node(log) as first:
        (desk,) = until(lambda: lines(log, "desk"), log=log)
        with running_node(other) as second:
            until(lambda: Node.objects.get(os_pid=second.pid).task_queues, log=other)
            assert [row.node.os_pid for row in Service.objects.filter(entry_id="app:desk")] == [first.pid]
            customer = spawn(server, "app:customer", second.pid)
            (served,) = until(lambda: lines(other, "served"), log=other)
            assert served["pid"] == customer
            assert served["fields"] == {"by": desk["pid"], "ticket": 7}
            lost = Node.objects.get(os_pid=first.pid)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            (closed,) = until(lambda: lines(other, "closed"), 10, other)
            assert closed["fields"] == {"by": desk["pid"], "why": f"node '{lost.id}' is lost"}
            (moved,) = until(lambda: lines(other, "desk"), 10, other)
            assert Claim.objects.get(kind="name").pid == moved["pid"] != desk["pid"]
            until(lambda: Service.objects.filter(node__os_pid=second.pid, state="running", pid=moved["pid"]), log=other)
            assert lines(log, "desk") == [desk]
