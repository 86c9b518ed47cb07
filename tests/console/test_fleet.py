"""Which nodes run: heartbeats, and the processes of this machine."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError
from django.utils import timezone

from wippy_console.database.threads import in_thread
from wippy_console.models import Node
from wippy_console.services import fleet
from wippy_console.worker.fleet.directory import DatabaseDirectory
from wippy_console.worker.fleet.heartbeat import beat
from wippy_console.worker.fleet.machine import is_running, machine_id

pytestmark = pytest.mark.django_db(transaction=True)


def node(node_id: str, *, os_pid: int = 1, machine: str = "elsewhere", age: float = 0) -> Node:
    at = timezone.now() - timedelta(seconds=age)
    return Node.objects.create(id=node_id, hostname="h", machine=machine, os_pid=os_pid, started_at=at, heartbeat_at=at)


def ended_process() -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process


def test_this_machine_knows_its_processes() -> None:
    assert is_running(os.getpid())
    assert not is_running(ended_process().pid)


def test_a_killed_node_of_this_machine_is_dead_at_once_and_one_of_another_when_its_heartbeat_is_old() -> None:
    dead = ended_process().pid
    node("here", os_pid=dead, machine=machine_id())
    node("there", os_pid=dead)
    node("silent", age=20)
    fleet.expire_killed(machine_id(), is_running)
    assert [each.id for each in fleet.alive()] == ["there"]
    assert Node.objects.get(id="here").state == "silent"


def test_a_node_that_beats_again_is_alive_again() -> None:
    node("here", os_pid=ended_process().pid, machine=machine_id())
    fleet.expire_killed(machine_id(), is_running)
    Node.objects.filter(id="here").update(heartbeat_at=timezone.now())
    assert fleet.is_alive("here")


async def test_the_directory_tells_each_loss_once_and_knows_who_just_came() -> None:
    directory = DatabaseDirectory()
    lost: list[str] = []
    directory.on_lost(lost.append)
    await in_thread(partial(node, "first"))
    await directory.refresh()
    await in_thread(partial(node, "second"))
    assert await directory.is_alive("first")
    assert await directory.is_alive("second")
    assert not await directory.is_alive("never")
    await in_thread(lambda: Node.objects.update(stopped_at=timezone.now()))
    await directory.refresh()
    await directory.refresh()
    assert lost == ["first", "second"]
    assert not await directory.is_alive("first")


async def test_after_an_outage_of_the_database_old_heartbeats_get_a_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    directory = DatabaseDirectory()
    lost: list[str] = []
    directory.on_lost(lost.append)
    await in_thread(lambda: node("other"))
    await directory.refresh()
    await in_thread(lambda: Node.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=20)))

    def fail() -> set[str]:
        monkeypatch.undo()
        raise DatabaseError("no connection")

    monkeypatch.setattr("wippy_console.worker.fleet.directory._alive_nodes", fail)
    monkeypatch.setattr("wippy_console.worker.fleet.directory.POLL_SECONDS", 0)
    running = asyncio.create_task(directory.run())
    while directory._trusts_from == 0:
        await asyncio.sleep(0.01)
    running.cancel()
    await directory.refresh()
    assert (lost, await directory.is_alive("other")) == ([], True)
    directory._trusts_from = 0.0
    await directory.refresh()
    assert lost == ["other"]


def test_a_heartbeat_says_whether_the_node_was_taken_for_dead() -> None:
    made = node("late", age=20)
    row = {"heartbeat_at": timezone.now(), "hostname": "h", "os_pid": 1, "started_at": made.started_at}
    assert [beat("late", row), beat("late", row)] == [False, True]
