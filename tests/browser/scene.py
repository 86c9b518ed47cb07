"""What stands on the stage of the page tests: entries with forms, runs in every state, a node, a feed."""

from __future__ import annotations

import gzip
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from engine.entry import Entry
from tests.console.operating import CLIENT, WORKER, Stage
from wippy_console.models import HistoryArchive, Node, Process, Question, Run, Service
from wippy_console.services import feed, registry
from wippy_console.services.registry import Changes

HISTORIES = Path(__file__).parents[1] / "console" / "histories"
ODD_ID = "order/7//../ü “q” 'a' #%25?&x=1;:@ {b}|日本 "

ORDER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "amount", "customer"],
    "properties": {
        "order_id": {"type": "string", "title": "Order", "description": "As the shop names it."},
        "amount": {"type": "number", "minimum": 1, "title": "Amount"},
        "express": {"type": "boolean", "title": "Express delivery"},
        "channel": {"enum": ["web", "shop", "phone"], "title": "Channel"},
        "due": {"type": "string", "format": "date"},
        "note": {"type": "string", "maxLength": 500},
        "customer": {
            "type": "object",
            "title": "Customer",
            "required": ["email"],
            "properties": {"email": {"type": "string", "minLength": 3}},
        },
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
SOURCE = """local function main(order)
    return order
end

return { main = main }
"""


@dataclass
class Scene:
    """The rows that tests name."""

    stage: Stage
    closed: Run
    asking: Run
    question: Question
    runs: list[Run] = field(default_factory=list)


def set_scene(stage: Stage) -> Scene:
    """Publish, start and archive."""
    entry = Entry(
        "app.orders:process", "workflow.lua",
        {"title": "Process an order", "input_schema": ORDER_SCHEMA}, {"source": SOURCE, "method": "main"},
    )  # fmt: skip
    registry.publish(stage.cast.author, Changes(create=(entry,)), base=None, message="Orders")
    closed = archived("everything", "completed")
    archived("failed", "failed")
    asking = stage.start("app.flows:approval", {"wanted": 50, "item": "Laptop"})
    question = stage.ask(asking, "decision", 0, timezone.now() + timedelta(hours=2))
    a_fleet()
    return Scene(stage, closed, asking, question)


def archived(name: str, status: str, workflow_id: str = "") -> Run:
    """A closed run with a recorded history."""
    text = (HISTORIES / f"{name}.json").read_text()
    events = json.loads(text)["events"]
    began, ended = (parse_datetime(events[at]["eventTime"]) for at in (0, -1))
    assert began
    assert ended
    run = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id=workflow_id or f"{name}-1", entry_id=f"app.flows:{name}", client=CLIENT,
        worker=WORKER, status=status, started_at=began, closed_at=ended, history_length=len(events),
        input=[{"order": 7}], result={"approved": True} if status == "completed" else None,
        failure={"kind": "Invalid", "message": "the child broke", "stack": "in main"} if status == "failed" else None,
    )  # fmt: skip
    HistoryArchive.objects.create(run=run, content=gzip.compress(text.encode()), events=len(events))
    feed.append(feed.STARTED, run=run, at=began)
    feed.append(feed.EXIT, run=run, at=ended, data={"status": status, "result": run.result, "seconds": 1.5})
    return run


def a_fleet() -> None:
    """A node with two services, one of them in trouble."""
    now = timezone.now()
    node = Node.objects.create(
        id="node-1", hostname="here", os_pid=1, started_at=now, heartbeat_at=now + timedelta(hours=1), units=3,
        task_queues=["orders", "wippy-fleet"], hosts=[a_host("app:processes"), a_host("functions")],
    )  # fmt: skip
    Service.objects.create(node=node, entry_id="app:session_manager", state="running", pid="{n@h|0x1}", since=now)
    Service.objects.create(node=node, entry_id="app:watcher", state="failed", error="boom", restarts=3, since=now)
    for number in range(3):
        Process.objects.create(
            node=node, pid=f"{{node-1@app:processes|0x{number}}}", entry_id="app.flows:approval",
            host_id="app:processes", kind="process", parent="{node-1@app:processes|0x0}" if number else "",
            names=[f"name {number}"],
            links=["{node-1@app:processes|0x9}"], watchers=["service app:watcher", "{node-1@app:processes|0x8}"],
            state="busy", mailbox=8 * number, mailbox_limit=8, started_at=now,
        )  # fmt: skip
    for number, how in enumerate(("completed", "failed")):
        Process.objects.create(
            node=node, pid=f"{{node-1@app:processes|0xe{number}}}", entry_id="app.flows:approval",
            host_id="app:processes", kind="process", parent="{node-1@app:processes|0x0}", state=how, started_at=now,
            ended_at=now, watchers=["service app:watcher"], result={"total": 42} if how == "completed" else None,
            failure={"kind": "Conflict", "message": "it broke", "stack": "in main"} if how == "failed" else None,
        )  # fmt: skip


def a_host(entry_id: str) -> dict[str, Any]:
    """How a host stands that had to refuse something."""
    return {
        "id": entry_id, "running": 3, "max_processes": 3, "queue_size": 8, "waiting": 8, "refused_units": 1,
        "refused_messages": 7,
    }  # fmt: skip
