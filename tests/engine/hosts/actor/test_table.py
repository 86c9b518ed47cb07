"""The table of actors: its lock is checked, and the end of an actor is reported in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.errors import LIMIT_EXCEEDED
from engine.hosts.actor.actor import PORTION, Actor
from engine.hosts.actor.concurrency.deadlines import Timer
from engine.hosts.actor.concurrency.lanes import Lanes
from engine.hosts.actor.failures import results_full
from engine.hosts.actor.relations import Relations
from engine.hosts.actor.table import Table
from engine.hosts.actor.world import SystemWorld
from engine.lua.marshal import Flat
from engine.program import Program
from engine.steps import DEFAULT_LIMITS, Exited, LinkDown, Message, Rejected, Resolved

PROGRAM = Program("app:p", "process.lua", "main", {})


def actor(uniq: str) -> Actor:
    """A process that no thread runs."""
    pid = f"{{node-1@app:procs|{uniq}}}"
    return Actor(pid, "process", "app:procs", PROGRAM, (), {}, None, "", DEFAULT_LIMITS, 0)


@pytest.fixture
def table() -> Table:
    """A table whose threads do not run."""
    return Table(SystemWorld())


CHANGES: list[Callable[[Table, Actor], object]] = [
    lambda table, one: table.live(one.pid),
    lambda table, one: table.find("a name"),
    lambda table, one: table.begin(one),
    lambda table, one: table.make_ready(one),
    lambda table, one: table.deliver(one, Message("m")),
    lambda table, one: table.post(one, Message("m")),
    lambda table, one: table.reply(one, 1, True),
    lambda table, one: table.end(one, None, None),
    lambda table, one: table.bridge.stop_timer(Timer(0, print)),
    lambda table, one: Lanes(table.bridge, table.lock).enqueue(("", ""), wait),
]


async def wait() -> None:
    """Nothing."""


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_handles_an_actor_without_the_lock_is_stopped(
    table: Table, change: Callable[[Table, Actor], object]
) -> None:
    with pytest.raises(AssertionError):
        change(table, actor("0x1"))


def test_the_lock_is_of_one_thread_and_may_be_taken_again(table: Table) -> None:
    with table.lock, table.lock:
        assert table.lock.held()
    assert not table.lock.held()


def test_monitors_hear_before_hooks_of_later_parts_and_those_before_the_actor_s_own(table: Table) -> None:
    one, other, heard = actor("0x1"), actor("0x2"), []
    relations = Relations(table)
    table.at_end(lambda ended, _: heard.append(f"hook, {len(other.queue)} delivered"))

    def on_end(exited: Exited) -> None:
        heard.append("own")

    with table.lock:
        table.begin(one)
        table.begin(other)
        relations.monitor(other, one)
        one.on_end["test"] = on_end
        assert table.terminate(one.pid) is None
        assert heard == ["hook, 1 delivered", "own"]
        assert table.live(one.pid) is None


def message(megabytes: int) -> Message:
    """One whose text stands in it."""
    return Message("m", Flat([1], ["x" * (megabytes << 20)], 1), "")


def test_a_mailbox_holds_so_many_bytes_outside_of_its_unit_and_one_message_of_any_size(table: Table) -> None:
    one = actor("0x1")
    with table.lock:
        assert [table.post(one, message(7)) for _ in range(4)] == [None] * 4
        refused = table.post(one, message(7))
        assert refused and (refused.kind, refused.retryable) == (LIMIT_EXCEEDED, True)
        assert table.post(one, Message("m", ("x" * 1000, {"a": [1]}), "")) is None
        assert [len(one.take()) for _ in range(2)] == [2, 3]
        assert one.queued_bytes == 0
        one.rest(unread=0)
        assert table.post(one, message(40)) is None
        assert len(one.take()) == 1


def test_a_long_mailbox_is_taken_in_portions_that_count_their_bytes(table: Table) -> None:
    one = actor("0x1")
    with table.lock:
        for _ in range(PORTION + 3):
            table.post(one, Message("m", ("x" * 84,), ""))
    one.take()
    assert one.queued_bytes == 3 * 116


def test_results_that_wait_are_all_together_what_the_unit_may_hold_and_one_more_comes_as_a_failure(
    table: Table,
) -> None:
    one, most = actor("0x1"), DEFAULT_LIMITS.max_memory
    with table.lock:
        table.deliver(one, Resolved(1, "much", most + 1))
        table.deliver(one, Resolved(2, "little"))
        table.deliver(one, Resolved(3, "more", 1))
        table.deliver(one, Rejected(4, results_full(0), 1))
        table.deliver(one, Exited("{p}", 1, "value", None, 1))
        table.deliver(one, LinkDown("{p}", 1, results_full(0), None, 1))
        full = results_full(most)
        assert one.take() == [Resolved(1, "much")]
        assert one.take() == [
            Resolved(2, "little"),
            Rejected(3, full),
            Rejected(4, full),
            Exited("{p}", 1, None, full),
            LinkDown("{p}", 1, full),
        ]
        assert one.result_bytes == 0
        table.deliver(one, Resolved(5, "again", 1))
        assert one.take() == [Resolved(5, "again")]


def test_a_portion_is_of_so_many_bytes_of_messages_and_results_together(table: Table) -> None:
    one, mib = actor("0x1"), 1 << 20
    with table.lock:
        for seq in range(3):
            table.post(one, message(5))
            table.deliver(one, Resolved(seq, "", 5 * mib))
        assert not one.behind
        assert [len(one.take()) for _ in range(2)] == [3, 3]
        for seq in range(5):
            table.deliver(one, Resolved(seq, "", 7 * mib))
        assert one.behind
        one.take()
        assert not one.behind


def test_messages_that_a_unit_was_given_and_has_not_received_still_take_room(table: Table) -> None:
    one = actor("0x1")
    with table.lock:
        for _ in range(4):
            assert table.post(one, message(7)) is None
        assert [len(one.take()), len(one.take())] == [2, 2]
        assert table.post(one, message(7)) is not None
        one.rest(unread=4)
        assert table.post(one, message(7)) is not None
        one.rest(unread=3)
        assert table.post(one, message(7)) is None
        one.take()
        one.rest(unread=0)
        assert (one.mailbox, one.held_bytes) == (0, 0)
        assert table.post(one, message(40)) is None
