"""Two worker processes as one fleet; one of them is killed with -9."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from engine.entry import Entry
from tests.console.test_worker import Server, lines, log, publish, queue, running_node, server, until
from wippy_console.models import FeedEvent, Node, Service

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


def node_of(log: Path) -> Node:
    return Node.objects.get(os_pid=int(log.stem))


def test_a_killed_nodes_services_names_and_watches_go_to_the_other_at_once(
    server: Server, log: Path, tmp_path: Path
) -> None:
    publish(lua("app:ticket", "process.lua", TICKET), service("app:desk", "app:ticket"))
    other = tmp_path / "other.log"
    with running_node(log) as first:
        until(lambda: Service.objects.filter(entry_id="app:desk", state="running").exists(), log=log)
        with running_node(other) as second:
            until(lambda: Node.objects.get(os_pid=second.pid).task_queues, log=other)
            assert [row.node.os_pid for row in Service.objects.filter(entry_id="app:desk")] == [first.pid]
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            until(lambda: lines(other, "desk"), 10, other)
            moved = until(
                lambda: Service.objects.filter(entry_id="app:desk", node__os_pid=second.pid, state="running").first(),
                log=other,
            )
            assert moved.restarts == 0
    _: Any = FeedEvent
