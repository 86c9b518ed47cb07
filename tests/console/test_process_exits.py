"""PROCESS_EXIT: which ends of processes are reported, in which words, and how many."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError

from engine.contracts.host import SpawnRequest
from engine.contracts.operations import ProcessInfo
from engine.steps import Exited
from tests.engine.hosts.actor.support import HOST, Lab, lab, process
from wippy_console.database.threads import in_thread
from wippy_console.models import FeedEvent
from wippy_console.worker.reporting import process_exits as module
from wippy_console.worker.reporting.process_exits import MOST, ExitReporter

pytestmark = pytest.mark.django_db(transaction=True)

PARENT = """
    local body, count = ...
    for _ = 1, count or 1 do process.spawn_monitored(body, "app:procs") end
    for _ = 1, count or 1 do process.events():receive() end
    return "done"
"""
ENTRIES = (
    process("app:parent", PARENT),
    process("app:well", "return 5"),
    process("app:failing", "error(errors.new { message = 'broken', kind = 'Conflict' })"),
    process("app:named", "process.registry.register('desk') return 1"),
    process("app:idle", "process.inbox():receive()"),
)


async def reported(it: Lab, reporter: ExitReporter, entry_id: str, *args: Any, parent: str = "") -> list[FeedEvent]:
    """The rows that are written once the process and all that it spawned have ended."""
    host = it.node.host(HOST.id)
    assert host is not None
    await host.spawn(SpawnRequest(entry_id, HOST.id, args, parent=parent))
    await it.until(lambda: not it.node.processes())
    await reporter.flush()
    return await in_thread(lambda: list(FeedEvent.objects.order_by("id")))


@pytest.mark.parametrize(
    ("entry", "parent", "expected"),
    [
        ("app:well", "", ["completed"]),
        ("app:well", "user:anna", ["completed"]),
        ("app:well", "{node-1@app:procs|0x1}", []),
        ("app:named", "{node-1@app:procs|0x1}", ["completed"]),
        ("app:failing", "{node-1@app:procs|0x1}", ["failed"]),
    ],
)
async def test_ends_that_somebody_may_look_for_are_told(entry: str, parent: str, expected: list[str]) -> None:
    reporter = ExitReporter("node-1")
    async with lab(*ENTRIES, on_process_end=reporter.on_end) as it:
        rows = await reported(it, reporter, entry, parent=parent)
    assert [row.data["status"] for row in rows] == expected


async def test_a_row_says_how_it_went_and_who_was_told() -> None:
    reporter = ExitReporter("node-1")
    async with lab(*ENTRIES, on_process_end=reporter.on_end) as it:
        failed, parent = await reported(it, reporter, "app:parent", "app:failing")
    assert (failed.kind, failed.entry_id, failed.node) == ("PROCESS_EXIT", "app:failing", "node-1")
    assert failed.data["failure"]["message"] == "broken"
    assert failed.data["watchers"] == [parent.pid] == [failed.data["parent"]]
    assert (parent.data["result"], parent.data["failure"]) == ("done", None)


async def test_a_terminated_process_says_so() -> None:
    reporter = ExitReporter("node-1")
    async with lab(*ENTRIES, on_process_end=reporter.on_end) as it:
        it.node.terminate(await it.spawn("app:idle", name="desk"))
        await reporter.flush()
    row = await in_thread(FeedEvent.objects.get)
    assert (row.data["status"], row.data["names"]) == ("terminated", ["desk"])


async def test_many_short_processes_do_not_flood_the_feed() -> None:
    reporter = ExitReporter("node-1")
    async with lab(*ENTRIES, on_process_end=reporter.on_end) as it:
        assert len(await reported(it, reporter, "app:parent", "app:well", 500)) == 1
        rows = await reported(it, reporter, "app:parent", "app:failing", 500)
    assert len(rows) == 1 + MOST + 1
    assert rows[-1].data == {"status": "failed", "omitted": 501 - MOST}


async def test_ends_outlive_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = ExitReporter("node-1")
    info = ProcessInfo("{n@h|1}", "app:p", "process", "h", "idle", 0, 0, 0, "", (), (), ())

    def broken(*args: Any) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as patch:
        patch.setattr(module, "append", broken)
        for _ in range(MOST + 5):
            reporter.on_end(info, Exited(info.pid, 1_000_000_000))
        await reporter.flush()
    reporter.on_end(info, Exited(info.pid, 1_000_000_000))
    await reporter.flush()
    rows = await in_thread(lambda: list(FeedEvent.objects.order_by("id")))
    assert len(rows) == MOST + 1
    assert rows[-1].data["omitted"] == 6
