"""Claims of nodes: names and the lease on services are never held by two."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from engine.errors import UnitFailed
from tests.patience import PATIENCE
from wippy_console.database.threads import in_thread
from wippy_console.models import Claim, Node
from wippy_console.services import claims
from wippy_console.services.errors import Unavailable
from wippy_console.worker.fleet.lease import ServiceLease
from wippy_console.worker.fleet.names import DatabaseNames

pytestmark = pytest.mark.django_db(transaction=True)


def node(node_id: str, age: float = 0) -> Node:
    at = timezone.now() - timedelta(seconds=age)
    return Node.objects.create(id=node_id, hostname="h", os_pid=1, started_at=at, heartbeat_at=at)


def acquire(node_id: str, pid: str = "") -> tuple[str, str]:
    claim = claims.acquire(claims.NAME, "desk", node_id, pid)
    return claim.node_id, claim.pid


def test_a_claim_is_the_first_nodes_until_it_releases_it_or_dies() -> None:
    for name in ("a", "b"):
        node(name)
    assert acquire("a", "p1") == acquire("b", "p2") == ("a", "p1")
    assert claims.release(claims.NAME, "a", pid="p1")
    assert acquire("b", "p2") == ("b", "p2")
    Node.objects.filter(id="b").update(heartbeat_at=timezone.now() - timedelta(seconds=16))
    assert claims.holder(claims.NAME, "desk") is None
    assert acquire("a", "p3") == ("a", "p3")


def test_a_node_releases_only_what_is_its_own() -> None:
    for name in ("a", "b"):
        node(name)
    acquire("a", "p1")
    assert not claims.release(claims.NAME, "b", pid="p1")
    assert not claims.release(claims.SERVICE, "a", pid="p1")
    assert acquire("b") == ("a", "p1")


def test_a_node_that_is_taken_for_dead_claims_nothing() -> None:
    node("a", age=20)
    with pytest.raises(Unavailable, match="taken for dead"):
        acquire("a")
    assert not Claim.objects.exists()


def test_of_many_at_once_one_gets_it() -> None:
    names = [f"n{number}" for number in range(8)]
    for name in names:
        node(name)

    def race(name: str) -> tuple[str, str]:
        try:
            return acquire(name, name)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(race, names))) == 1


class Follower:
    """One node's lease, and what became of it."""

    def __init__(self, node_id: str, *, doubtful: bool = False) -> None:
        self.changes: list[bool] = []
        self.lease = ServiceLease(node_id, self._changed, lambda: doubtful)

    async def _changed(self) -> None:
        self.changes.append(self.lease.held)


async def test_one_node_runs_the_services_and_the_next_takes_over_when_it_leaves() -> None:
    for name in ("a", "b"):
        await in_thread(partial(node, name))
    first, second = Follower("a"), Follower("b")
    await first.lease.acquire()
    following = asyncio.create_task(second.lease.run())
    await asyncio.sleep(0.7)
    assert (first.lease.may_run("app:service"), second.lease.may_run("app:service")) == (True, False)
    await first.lease.release()
    async with asyncio.timeout(PATIENCE):
        while not second.changes:
            await asyncio.sleep(0.05)
    assert (first.lease.held, second.lease.held, second.changes) == (False, True, [True])
    following.cancel()


@pytest.mark.parametrize("doubtful", [False, True])
async def test_without_a_database_a_node_goes_on_unless_others_may_take_over(
    monkeypatch: pytest.MonkeyPatch, doubtful: bool
) -> None:
    await in_thread(partial(node, "a"))
    one = Follower("a", doubtful=doubtful)
    await one.lease.acquire()

    def broken(*args: Any) -> Claim:
        raise DatabaseError("away")

    monkeypatch.setattr(claims, "acquire", broken)
    await one.lease.acquire()
    assert one.lease.held is not doubtful


async def test_a_name_is_held_once_in_the_fleet_until_its_unit_or_its_node_ends() -> None:
    for name in ("a", "b"):
        await in_thread(partial(node, name))
    first, second = DatabaseNames("a"), DatabaseNames("b")
    assert (
        await first.claim("desk", "p1") == await first.claim("desk", "p1") == await second.claim("desk", "p2") == "p1"
    )
    assert await second.lookup("desk") == "p1"
    await first.drop("p1")
    assert await first.lookup("desk") is None
    assert await second.claim("desk", "p2") == "p2"
    assert (await first.release("desk"), await first.release("desk")) == (True, False)
    await second.claim("desk", "p2")
    await in_thread(lambda: Node.objects.filter(id="b").update(stopped_at=timezone.now()))
    assert await first.lookup("desk") is None
    assert await first.claim("desk", "p1") == "p1"
    with pytest.raises(UnitFailed, match="taken for dead"):
        await second.claim("other", "p2")


@pytest.mark.parametrize("name", ["x" * 501, "a\0b", "\udc80"])
async def test_a_name_that_no_table_can_hold_is_refused(name: str) -> None:
    await in_thread(partial(node, "a"))
    with pytest.raises(UnitFailed, match="at most 500"):
        await DatabaseNames("a").claim(name, "p")
    assert await DatabaseNames("a").lookup(name) is None
    assert not await DatabaseNames("a").release(name)


async def test_names_that_can_not_be_read_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Claim:
        raise DatabaseError("away")

    monkeypatch.setattr(claims, "holder", broken)
    with pytest.raises(UnitFailed) as caught:
        await DatabaseNames("a").lookup("desk")
    assert caught.value.failure.kind == "Unavailable"
