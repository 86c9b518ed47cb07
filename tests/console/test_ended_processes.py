"""Processes that have ended stay for a while: how they ended, who they belonged to; bounded in time and number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from engine.contracts.operations import ProcessInfo
from engine.durations import SECOND
from engine.errors import Failure
from engine.steps import Exited
from tests.console.operating import Cast
from tests.console.test_process_rows import info, make, make_node, root
from wippy_console.models import Node, Process
from wippy_console.services import fleet, processes
from wippy_console.services.errors import NotFoundError
from wippy_console.worker.fleet.heartbeat import announce
from wippy_console.worker.reporting import ended as module
from wippy_console.worker.reporting.ended import MOST, Ends
from wippy_console.worker.reporting.processes import ProcessReporter

pytestmark = pytest.mark.django_db
BROKEN = Failure("Conflict", "it broke", retryable=False)


def now() -> int:
    return int(timezone.now().timestamp() * SECOND)


def exited(each: ProcessInfo, value: Any = None, failure: Failure | None = None, after: float = 60) -> Exited:
    return Exited(each.pid, each.started + int(after * SECOND), value, failure)


def born(uniq: str, **fields: Any) -> ProcessInfo:
    return info(uniq, started=now() - 60 * SECOND, **fields)


@pytest.fixture
def node(db: None) -> Node:
    return make_node("n")


def kept() -> list[tuple[str, str]]:
    rows = Process.objects.filter(ended_at__isnull=False).order_by("pid")
    return [(row.pid.rpartition("|")[2][:-1], row.state) for row in rows]


def test_the_row_of_a_process_stays_with_how_it_ended(node: Node) -> None:
    seen, ends = [born("a", names=("desk",)), born("b"), born("call", kind="function", host="functions")], Ends()
    reporter = ProcessReporter("n", lambda: seen, ends)
    reporter.write()
    ends.on_end(seen[0], exited(seen[0], {"total": 42}))
    ends.on_end(seen[1], exited(seen[1], failure=BROKEN))
    seen.clear()
    reporter.write()
    assert kept() == [("a", "completed"), ("b", "failed")] and Process.objects.count() == 2
    well, failed = Process.objects.order_by("pid")
    assert (well.result, well.failure, well.names) == ({"total": 42}, None, ["desk"])
    assert failed.why == "it broke" and well.ended_at is not None and round(well.seconds) == 60
    reporter.write()
    assert Process.objects.count() == 2


def test_what_ends_during_the_look_is_not_written_as_alive(node: Node) -> None:
    each, ends = born("a"), Ends()
    ends.on_end(each, exited(each, 1))
    ProcessReporter("n", lambda: [each], ends).write()
    assert kept() == [("a", "completed")]


def test_short_lives_leave_no_row_unless_somebody_may_look_for_them(node: Node) -> None:
    ends, parent = Ends(), "{n@app:procs|boss}"
    for each, failure in (
        (born("short", parent=parent), None),
        (born("top"), None),
        (born("bad", parent=parent), BROKEN),
    ):
        ends.on_end(each, exited(each, 1, failure, after=0.01))
    ends.on_end(each := born("long", parent=parent), exited(each, 1, after=0.6))
    ProcessReporter("n", list, ends).write()
    assert kept() == [("bad", "failed"), ("long", "completed"), ("top", "completed")]


def test_of_ten_thousand_a_hundred_are_kept_failures_first_and_the_rest_is_counted(node: Node) -> None:
    ends = Ends()
    for number in range(10_000):
        each = born(f"{number}")
        ends.on_end(each, exited(each, number, BROKEN if number % 200 == 199 else None))
    reporter = ProcessReporter("n", list, ends)
    with CaptureQueriesContext(connection) as queries:
        reporter.write()
    assert len(kept()) == MOST and len([how for _, how in kept() if how == "failed"]) == 50
    assert ends.dropped == 9_900 and len(queries) < 12
    for number in range(10_000):
        each = born(f"short-{number}", parent="{n@app:procs|boss}")
        ends.on_end(each, exited(each, number, after=0.01))
    assert ends.take() == [] and ends.dropped == 9_900


def test_a_node_keeps_so_many_and_no_longer_than_a_day(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    for number in range(6):
        make(node, f"old-{number}", state="completed", ended_at=timezone.now() - timedelta(minutes=number))
    make(node, "alive")
    make(make_node("m"), "other", state="completed", ended_at=timezone.now() - timedelta(hours=1))
    ProcessReporter("n", list).write()
    assert [name for name, _ in kept()] == ["other", "old-0", "old-1", "old-2"]
    Process.objects.filter(pid__contains="other").update(ended_at=timezone.now() - timedelta(days=2))
    fleet.announce_silent()
    assert [name for name, _ in kept()] == ["old-0", "old-1", "old-2"]


def test_a_large_result_is_kept_in_part_with_its_size(node: Node) -> None:
    ends = Ends()
    ends.on_end(each := born("a"), exited(each, "x" * 100_000))
    ProcessReporter("n", list, ends).write()
    found: Any = Process.objects.get().result
    assert found["bytes"] == 100_002 and len(found["preview"]) < 20_000


def test_ends_that_can_not_be_written_are_written_later(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Ends()
    ends.on_end(each := born("a"), exited(each, 1))
    reporter = ProcessReporter("n", list, ends)
    monkeypatch.setattr(reporter, "_save", lambda *_: (_ for _ in ()).throw(DatabaseError("away")))
    with pytest.raises(DatabaseError):
        reporter.write()
    monkeypatch.undo()
    reporter.write()
    assert kept() == [("a", "completed")]


def test_they_outlive_their_node(node: Node) -> None:
    make(node, "over", state="completed", ended_at=timezone.now())
    make(node, "running")
    row = {"hostname": "h", "os_pid": 1, "started_at": timezone.now(), "heartbeat_at": timezone.now()}
    announce("n", "stopped", {**row, "stopped_at": timezone.now()})
    fleet.announce_silent()
    assert kept() == [("over", "completed")] and Process.objects.count() == 1
    assert [line.process.pid for line in processes.search(root(), has_ended=True).lines] == ["{n@app:procs|over}"]
    assert processes.search(root()).total == 0


def test_the_page_of_an_ended_process_links_its_relatives(client: Client, node: Node) -> None:
    client.force_login(root())
    boss = make(node, "boss")
    over = make(
        node, "over", parent=boss.pid, state="failed", ended_at=timezone.now(),
        watchers=[boss.pid, "service app:keeper"], links=["{n@app:procs|pal}"],
        failure={"kind": "Conflict", "message": "it broke", "details": None, "stack": "app:idle:3"},
    )  # fmt: skip
    make(node, "child", parent=over.pid, state="completed", ended_at=timezone.now())
    text = client.get(reverse("process", args=[over.pid])).content.decode()
    assert "The process has ended" in text and "Conflict: it broke" in text and "app:idle:3" in text
    for pid in (boss.pid, "{n@app:procs|pal}", "{n@app:procs|child}"):
        assert reverse("process", args=[pid]) in text
    assert reverse("entry", args=["app:keeper"]) in text and reverse("entry", args=["app:procs"]) in text
    assert "Cancel…" not in text and "Terminate…" not in text and "every 5s" not in text
    with pytest.raises(NotFoundError):
        processes.describe(root(), over.pid)


def test_the_list_of_ended_ones_tells_results_and_is_filtered(client: Client, node: Node) -> None:
    client.force_login(root())
    Node.objects.filter(pk="n").update(ends_dropped=7)
    make(
        node, "good", state="completed", ended_at=timezone.now(), result={"total": 42}, names=["desk"], name_text="desk"
    )
    make(node, "bad", state="failed", ended_at=timezone.now(), failure={"message": "it broke"})
    make(node, "alive")
    text = client.get("/processes/?ended=1").content.decode()
    assert "2 of 2 that are kept" in text and "of 7 more" in text and "total" in text and "it broke" in text
    assert "|alive}" not in text
    found = client.get("/processes/?ended=1&q=desk").content.decode()
    assert "|good}" in found and "|bad}" not in found
    assert "|good}" not in client.get("/processes/").content.decode()


def test_strangers_see_none_of_it(cast: Cast, node: Node) -> None:
    make(node, "over", state="completed", ended_at=datetime.now(UTC))
    with pytest.raises(Exception, match="You may not"):
        processes.search(cast.stranger, has_ended=True)
