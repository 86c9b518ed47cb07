"""The rows of a node's processes: what is written of them, and how they are found."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from engine.contracts.operations import Doing, ProcessInfo
from engine.durations import SECOND
from engine.steps import Exited
from tests.console.operating import Cast
from wippy_console.models import Node, Process
from wippy_console.services import attention, fleet, processes
from wippy_console.services.processes import reading
from wippy_console.worker.fleet.heartbeat import announce
from wippy_console.worker.reporting import processes as module
from wippy_console.worker.reporting.processes import Differ, ProcessReporter

pytestmark = pytest.mark.django_db

NOW = 1_000 * SECOND


def info(uniq: str, **fields: Any) -> ProcessInfo:
    known: dict[str, Any] = {
        "entry": "app:idle", "kind": "process", "host": "app:procs", "state": "idle", "started": NOW - 60 * SECOND,
        "mailbox": 0, "mailbox_limit": 8, "parent": "", "links": (), "names": (), "watchers": (),
    }  # fmt: skip
    return ProcessInfo(pid=f"{{n@app:procs|{uniq}}}", **{**known, **fields})


def written(differ: Differ, *seen: ProcessInfo, now: int = NOW) -> list[str]:
    """The uniqs of what a look finds to write, taken as written."""
    found = differ.compare(seen, now)
    differ.written([*found.fresh, *found.changed])
    differ.deleted(found.ended)
    return [each.pid.rpartition("|")[2].rstrip("}") for each in (*found.fresh, *found.changed)]


def test_nothing_is_written_twice_and_a_change_is() -> None:
    differ = Differ()
    assert written(differ, info("a"), info("b")) == ["a", "b"]
    assert written(differ, info("a"), info("b")) == []
    assert written(differ, info("a", names=("desk",)), info("b", links=("{n@h|c}",))) == ["a", "b"]


def test_short_calls_are_never_written_and_long_ones_are() -> None:
    differ, young = Differ(), NOW - SECOND
    call = info("call", kind="function", started=young)
    assert written(differ, call, info("new", started=NOW)) == []
    assert written(differ, info("new", started=young)) == ["new"]
    assert written(differ, call, info("new", started=young), now=NOW + 2 * SECOND) == ["call"]


def test_a_mailbox_is_news_when_it_doubles_empties_or_fills() -> None:
    differ = Differ()
    levels = [0, 1, 2, 3, 4, 5, 7, 8, 8, 7, 0, 0]
    news = [bool(written(differ, info("a", mailbox=level))) for level in levels]
    assert news == [True, True, True, False, True, False, False, True, False, True, True, False]


def test_only_who_is_at_work_at_every_look_is_busy() -> None:
    differ, working, resting = Differ(), info("a", state="stepping"), info("a")
    seen = []
    for each in (resting, working, resting, working, replace(working, state="queued"), resting):
        written(differ, each)
        seen.append(differ.state(each.pid))
    assert seen == ["idle", "idle", "idle", "idle", "busy", "idle"]


def test_many_changes_go_by_the_fullest_mailboxes_and_the_rest_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHANGES_PER_LOOK", 2)
    differ = Differ()
    written(differ, *(info(name) for name in "abc"))
    fuller = [info("a", mailbox=1), info("b", mailbox=7), info("c", mailbox=3)]
    assert written(differ, *fuller) == ["b", "c"]
    assert written(differ, *fuller) == ["a"]


def test_a_look_counts_the_messages_that_wait_by_host() -> None:
    look = Differ().compare([info("a", mailbox=2), info("b", mailbox=3), info("f", host="functions", mailbox=1)], NOW)
    assert look.waiting == {"app:procs": 5, "functions": 1}


@pytest.fixture
def node(db: None) -> Node:
    return make_node("n")


def make_node(node_id: str, age: float = 0) -> Node:
    at = timezone.now() - timedelta(seconds=age)
    return Node.objects.create(id=node_id, hostname="h", os_pid=1, started_at=at, heartbeat_at=at)


def make(node: Node, uniq: str, **fields: Any) -> Process:
    known: dict[str, Any] = {"entry_id": "app:idle", "host_id": "app:procs", "kind": "process", "state": "idle"}
    started = timezone.now() + timedelta(seconds=Process.objects.count())
    pid = f"{{{node.id}@app:procs|{uniq}}}"
    return Process.objects.create(node=node, pid=pid, started_at=started, **{**known, **fields})


def test_rows_are_written_updated_and_deleted(node: Node) -> None:
    seen = [info("a", names=("Büro",)), info("b", parent="{n@app:procs|a}")]
    written = ProcessReporter("n", lambda: seen)
    written.write()
    assert list(Process.objects.values_list("pid", "name_text", "parent")) == [
        ("{n@app:procs|a}", "Büro", ""),
        ("{n@app:procs|b}", "", "{n@app:procs|a}"),
    ]
    seen[:] = [info("b", mailbox=8, parent="{n@app:procs|a}")]
    written.write()
    (row,) = Process.objects.all()
    assert (row.mailbox, row.is_full) == (8, True)
    assert written.waiting == {"app:procs": 8}


def test_an_operation_is_news_when_it_takes_long_and_when_it_is_over() -> None:
    differ, began = Differ(), NOW - SECOND
    assert written(differ, info("a")) == ["a"]
    assert written(differ, info("a", doing=(Doing("GET https://x/", began),), operations=1)) == []
    late = info("a", doing=(Doing("GET https://x/", began), Doing("GET https://y/", NOW)), operations=2)
    assert written(differ, late, now=NOW + SECOND) == ["a"]
    assert written(differ, late, now=NOW + SECOND) == []
    assert written(differ, info("a"), now=NOW + SECOND) == ["a"]


def test_rows_tell_what_a_process_does_outside_and_since_when(node: Node) -> None:
    began = time.time_ns() - 600 * SECOND
    doing = Doing("GET https://shop.example/", began), Doing("query \0", began + 1)
    seen = [
        info("a", doing=doing, operations=9),
        info("call", kind="function", doing=doing[:1], operations=1),
        info("b"),
    ]
    reporter = ProcessReporter("n", lambda: seen)
    reporter.write()
    row = Process.objects.get(pid="{n@app:procs|a}")
    assert [each["text"] for each in row.doing] == ["GET https://shop.example/", "query \ufffd"]
    assert (row.operations, row.more_doing) == (9, 7)
    assert row.doing_since is not None and abs(row.doing_since.timestamp() - began / SECOND) < 1
    found = [each.process.pid for each in processes.search(root(), doing=True).lines]
    assert found == ["{n@app:procs|a}", "{n@app:procs|call}"]
    assert [each.pid for each in attention.outside(root(), 5)] == found
    reporter.ends.on_end(seen[0], Exited(seen[0].pid, time.time_ns(), 1))
    seen[:] = [info("b")]
    reporter.write()
    assert not Process.objects.filter(doing_since__isnull=False).exists()
    assert Process.objects.get(ended_at__isnull=False).doing == []


def test_rows_that_others_deleted_come_back(node: Node) -> None:
    written = ProcessReporter("n", lambda: [info("a"), info("b")])
    written.write()
    Process.objects.first().delete()  # type: ignore[union-attr]
    written.write()
    assert Process.objects.count() == 2


def test_what_no_database_takes_does_not_stop_the_reporter(node: Node) -> None:
    names = ("nul \0", "half \ud800")
    ProcessReporter("n", lambda: [info("a", names=names, parent="{c@w|" + "\U0001f600" * 900 + "}")]).write()
    assert Process.objects.get().names == ["nul \ufffd", "half ?"]


def test_rows_go_with_their_node(node: Node) -> None:
    gone = make_node("gone", age=60)
    make(gone, "x")
    make(node, "y")
    assert [each.process.pid for each in processes.search(root(), text="").lines] == ["{n@app:procs|y}"]
    fleet.announce_silent()
    assert Process.objects.count() == 1
    announce(
        "n", "stopped", {"hostname": "h", "os_pid": 1, "started_at": timezone.now(), "heartbeat_at": timezone.now()}
    )
    assert not Process.objects.exists()


def root() -> Any:
    from django.contrib.auth.models import User

    return User.objects.get_or_create(username="root", is_superuser=True)[0]


def shown(**filters: Any) -> list[tuple[int, str, int]]:
    found = processes.search(root(), **filters)
    return [(line.depth, line.process.pid.rpartition("|")[2][:-1], line.children) for line in found.lines]


def test_few_are_shown_as_a_tree_across_nodes(node: Node) -> None:
    other = make_node("m")
    top = make(node, "top")
    make(node, "orphan", parent="{n@app:procs|dead}")
    child = make(other, "child", parent=top.pid)
    make(node, "grandchild", parent=child.pid)
    make(node, "second", parent=top.pid)
    assert shown() == [(0, "top", 2), (1, "child", 1), (2, "grandchild", 0), (1, "second", 0), (0, "orphan", 0)]


def test_many_are_shown_by_their_roots_in_pages(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WHOLE_TREE", 3)
    monkeypatch.setattr(reading, "PAGE", 2)
    tops = [make(node, name) for name in ("one", "two", "three")]
    make(node, "below", parent=tops[1].pid)
    assert shown() == [(0, "one", 0), (0, "two", 1)]
    assert shown(page=2) == [(0, "three", 0)]
    assert shown(page=99) == [(0, "three", 0)]
    assert shown(under=tops[1].pid) == [(0, "below", 0)]
    found = processes.search(root())
    assert (found.form, found.matching, found.total, found.pages) == ("roots", 3, 4, 2)


def test_a_large_tree_is_paged_and_no_line_stands_alone(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 3)
    top = make(node, "top")
    child = make(node, "child", parent=top.pid)
    for name in ("a", "b", "c"):
        make(node, name, parent=child.pid)
    assert shown() == [(0, "top", 1), (1, "child", 3), (2, "a", 0)]
    second = processes.search(root(), page=2)
    assert [line.above for line in second.lines] == [True, True, False, False]
    assert shown(page=2) == [(0, "top", 1), (1, "child", 3), (2, "b", 0), (2, "c", 0)]
    assert (second.form, second.pages, second.total) == ("tree", 2, 5)


def test_processes_are_found_by_parts_of_pid_entry_and_name(node: Node) -> None:
    make(node, "0xAB12", names=["Büro/“7”"], name_text="Büro/“7”")
    make(node, "other", entry_id="shop:desk", host_id="shop:host", mailbox=8, mailbox_limit=8)
    assert shown(text="ab12") == [(0, "0xAB12", 0)]
    assert shown(text="büro/“7”") == [(0, "0xAB12", 0)]
    assert shown(text="shop:d") == [(0, "other", 0)]
    assert shown(host="shop:host") == [(0, "other", 0)]
    assert shown(full=True) == [(0, "other", 0)]
    assert shown(node="nobody") == []
    assert shown(text="%") == []


def test_only_who_may_see_the_fleet_sees_processes(cast: Cast) -> None:
    with pytest.raises(Exception, match="You may not"):
        processes.search(cast.stranger)
    assert processes.search(cast.viewer).total == 0
