"""Worker processes that are killed with -9: what others know of it, and what the next one hears."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.hosts.temporal.node.client import NodeClient
from tests.console.test_worker import Server, lines, log, publish, queue, running_node, server, until
from tests.patience import at_most
from wippy_console.models import Claim, FeedEvent, Node, Run, Service

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


# Starts two runs unless they were started before, and asks to hear of their ends in each of its lives.
KEEPER = """
local logger = require("logger")
return { main = function()
    for _, id in ipairs { "first", "second" } do
        local options = { ["workflow.id"] = id, ["workflow.id_reuse_policy"] = "reject_duplicate" }
        process.with_options(options):spawn("app:approval", "app:worker", id)
        assert(process.monitor("{app:client@app:worker|" .. id .. "}"))
    end
    logger:info("keeping")
    for event in process.events():iter() do
        if event.type ~= "EXIT" then return end
        logger:info("exit", { pid = event.from, why = event.result.error:message() })
    end
end }
"""


def lua(entry_id: str, kind: str, source: str) -> Entry:
    return Entry(entry_id, kind, {}, {"source": source, "method": "main", "modules": ["logger", "time"]})


def service(entry_id: str, process: str) -> Entry:
    lifecycle = {"auto_start": True, "requires": ["app:worker"]}
    return Entry(entry_id, "process.service", {}, {"process": process, "host": "app:processes", "lifecycle": lifecycle})


def spawn(server: Server, entry_id: str, os_pid: int) -> str:
    """Start a process on the node of that OS process; its pid."""
    node = Node.objects.get(os_pid=os_pid)
    request = SpawnRequest(entry_id, "app:processes")
    return str(server.do(lambda client: NodeClient(client).spawn(request, node.id)))


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
            (closed,) = until(lambda: lines(other, "closed"), at_most(10), other)
            assert closed["fields"] == {"by": desk["pid"], "why": f"node '{lost.id}' is lost"}
            (moved,) = until(lambda: lines(other, "desk"), at_most(10), other)
            assert Claim.objects.get(kind="name").pid == moved["pid"] != desk["pid"]
            until(lambda: Service.objects.filter(node__os_pid=second.pid, state="running", pid=moved["pid"]), log=other)
            assert lines(log, "desk") == [desk]


def test_a_watcher_that_was_killed_with_its_node_hears_once_of_what_ended_meanwhile(server: Server, log: Path) -> None:
    publish(lua("app:keeper", "process.lua", KEEPER), service("app:keeping", "app:keeper"))
    first, second = (
        {"pid": f"{{app:client@app:worker|{id_}}}", "why": "workflow terminated"} for id_ in ("first", "second")
    )

    def exits() -> list[dict[str, str]]:
        return [line["fields"] for line in lines(log, "exit")]

    with running_node(log) as node:
        until(lambda: lines(log, "keeping"), log=log)
        node.send_signal(signal.SIGKILL)
        node.wait()
    server.terminate("first")
    with running_node(log):
        until(lambda: exits() == [first], log=log)
        until(lambda: Run.objects.filter(workflow_id="second").exists(), log=log)
        server.terminate("second")
        until(lambda: len(exits()) > 1, log=log)
        until(lambda: FeedEvent.objects.filter(kind="EXIT").count() == 2, log=log)
        time.sleep(1)
        assert exits() == [first, second]
