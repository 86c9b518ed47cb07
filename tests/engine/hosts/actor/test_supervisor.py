from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.durations import SECOND
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.actor.supervision.service import Clock
from engine.hosts.actor.supervision.spec import ServiceSpec, start_levels
from engine.hosts.actor.supervision.state import ServiceState
from engine.hosts.actor.supervision.supervisor import Supervisor
from engine.memory.catalog import MemoryCatalog
from tests.engine.hosts.actor.support import HOST, Lab, lab, process, service

IDLE = process("app:idle", "return process.inbox():receive():topic()")
POLITE = process("app:polite", "local e = process.events():receive() return e.reason")
CRASH = process("app:crash", "error('boom')")
STABLE = {"stable_threshold": "1h"}


class SkippingClock:
    """Every sleep passes at once and moves the clock; `slept` holds the seconds."""

    def __init__(self) -> None:
        self.time = 1_000 * SECOND
        self.slept: list[float] = []

    def now(self) -> int:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += round(seconds * SECOND)
        await asyncio.sleep(0)


class Watched:
    """A supervisor and the states that it reported."""

    def __init__(self, it: Lab, clock: Clock | None, **options: Any) -> None:
        self.it = it
        self.reported: list[ServiceState] = []
        self.supervisor = Supervisor(it.node, self.reported.append, clock=clock, chance=lambda: 0.5, **options)

    def states(self, entry_id: str) -> list[str]:
        """The states that a service went through."""
        return [state.state for state in self.reported if state.entry_id == entry_id]

    def now(self, entry_id: str) -> ServiceState:
        """The state of a service."""
        return next(state for state in self.supervisor.states() if state.entry_id == entry_id)

    async def reconcile(self, *entries: Entry, delete: tuple[str, ...] = ()) -> None:
        """Publish and follow."""
        self.it.catalog.publish(*entries, delete=delete)
        await self.supervisor.reconcile(self.it.catalog)

    async def reach(self, entry_id: str, state: str) -> ServiceState:
        """Wait until the service is in that state."""
        await self.it.until(lambda: self.now(entry_id).state == state)
        return self.now(entry_id)


@asynccontextmanager
async def watched(*entries: Entry, clock: Clock | None = None, **options: Any) -> AsyncIterator[Watched]:
    """A node with these entries, supervised."""
    async with lab(*entries) as it:
        watched = Watched(it, clock, **options)
        await watched.supervisor.reconcile(it.catalog)
        yield watched
        await watched.supervisor.stop()


async def test_a_service_starts_by_itself_with_its_input() -> None:
    keeper = process(
        "app:keeper", "local a, b = ... process.registry.register('k' .. a .. b) process.inbox():receive()"
    )
    async with watched(keeper, service("app:svc", "app:keeper", {"stop_timeout": "10ms"}, input=["x", 7])) as it:
        running = await it.reach("app:svc", "Running")
        await it.it.until(lambda: it.it.node.processes()[0].names == ("kx7",))
        assert running.pid == it.it.node.processes()[0].pid
        assert it.states("app:svc")[-2:] == ["Starting", "Running"]


async def test_without_auto_start_nothing_runs() -> None:
    async with watched(IDLE, service("app:svc", "app:idle", {"auto_start": False})) as it:
        assert [(state.entry_id, state.state) for state in it.supervisor.states()] == [("app:svc", "Unknown")]
        assert it.it.node.processes() == []


async def test_a_service_that_returns_is_exited_and_stays_so() -> None:
    async with watched(process("app:once", "return 1"), service("app:svc", "app:once")) as it:
        assert (await it.reach("app:svc", "Exited")).error == ""
        assert it.states("app:svc")[-3:] == ["Starting", "Running", "Exited"]


async def test_a_service_that_raises_is_started_again_after_growing_delays() -> None:
    clock = SkippingClock()
    restart = {"initial_delay": "1s", "max_delay": "5s", "backoff_factor": 2, "max_attempts": 5}
    async with watched(CRASH, service("app:svc", "app:crash", {"restart": restart, **STABLE}), clock=clock) as it:
        await it.it.until(lambda: it.states("app:svc").count("Failed") == 5)
        assert clock.slept == [1, 2, 4, 5]
        assert [each for each in it.states("app:svc") if each != "Unknown"] == ["Starting", "Running", "Failed"] * 5
        assert "boom" in it.now("app:svc").error
        assert it.now("app:svc").restarts == 4


async def test_having_run_long_enough_resets_the_count() -> None:
    clock = SkippingClock()
    restart = {"initial_delay": "1s", "max_attempts": 1}
    lifecycle = {"restart": restart, "stable_threshold": "0s"}
    async with watched(CRASH, service("app:svc", "app:crash", lifecycle), clock=clock) as it:
        await it.it.until(lambda: it.states("app:svc").count("Failed") > 3)
        assert set(clock.slept) == {1}


async def test_delays_grow_anew_after_a_stable_life() -> None:
    clock = SkippingClock()
    lives = iter([0, 0, 20, 0, 0])
    restart = {"initial_delay": "1s", "max_attempts": 3}
    entry = service("app:svc", "app:crash", {"restart": restart, "stable_threshold": "10s"})
    async with lab(CRASH, entry) as it:

        def lived(state: ServiceState) -> None:
            if state.state == "Running":
                clock.time += next(lives, 0) * SECOND

        supervisor = Supervisor(it.node, lived, clock=clock, chance=lambda: 0.5)
        await supervisor.reconcile(it.catalog)
        await it.until(lambda: supervisor.states()[0].state == "Failed" and not supervisor.states()[0].next_attempt)
        assert clock.slept == [1, 2, 1, 2, 4]
        await supervisor.stop()


async def test_a_failed_service_tells_when_it_is_tried_again() -> None:
    restart = {"initial_delay": "1h", "max_delay": "2h", "jitter": 0}
    async with watched(CRASH, service("app:svc", "app:crash", {"restart": restart})) as it:
        failed = await it.reach("app:svc", "Failed")
        assert failed.next_attempt - failed.since == pytest.approx(3600 * SECOND, abs=SECOND)
        await it.supervisor.stop()
        assert it.states("app:svc")[-1] == "Stopped"


@pytest.mark.parametrize(
    "body",
    [
        "return nil, 'final'",
        "error(errors.new { kind = 'Canceled', message = 'canceled' })",
        "error(errors.new { message = 'no', retryable = false })",
        "process.terminate(process.pid())",
    ],
)
async def test_a_failure_that_must_not_be_retried_is_final(body: str) -> None:
    async with watched(process("app:p", body), service("app:svc", "app:p")) as it:
        assert (await it.reach("app:svc", "Exited")).error


async def test_stopping_sends_cancel_with_the_reason_and_waits() -> None:
    async with watched(POLITE, service("app:svc", "app:polite")) as it:
        running = await it.reach("app:svc", "Running")
        heard: list[Any] = []
        host = it.it.node.host(HOST.id)
        assert host is not None
        await host.watch(running.pid, "test", heard.append)
        await it.supervisor.stop()
        await it.it.until(lambda: bool(heard))
        assert heard[0].value == "service stopping"
        assert it.states("app:svc")[-2:] == ["Stopping", "Stopped"]


async def test_a_service_that_does_not_heed_cancel_is_terminated_after_the_stop_timeout() -> None:
    async with watched(IDLE, service("app:svc", "app:idle", {"stop_timeout": "50ms"})) as it:
        await it.reach("app:svc", "Running")
        await it.supervisor.stop()
        assert it.it.node.processes() == []


async def test_stopping_takes_what_the_slowest_of_each_level_may_take() -> None:
    entries = (
        service("app:a", "app:idle", {"requires": ["b"], "stop_timeout": "1s"}),
        service("app:b", "app:idle", {"stop_timeout": "2s"}),
        service("app:c", "app:idle", {"stop_timeout": "500ms"}),
    )
    async with watched(process("app:idle", "process.events():receive()"), *entries) as it:
        await it.reach("app:a", "Running")
        assert it.supervisor.seconds_to_stop() == 3


async def test_a_service_starts_after_what_it_requires_and_stops_before_it() -> None:
    quick = {"stop_timeout": "10ms"}
    entries = (
        service("app:a", "app:idle", {"requires": ["b"], "depends_on": ["app:c"], **quick}),
        service("app:b", "app:idle", {"requires": ["app:c", "app:procs"], **quick}),
        service("app:c", "app:idle", {"auto_start": False, **quick}),
    )
    async with watched(IDLE, *entries) as it:
        await it.reach("app:a", "Running")
        assert [s.entry_id for s in it.reported if s.state == "Running"] == ["app:c", "app:b", "app:a"]
        it.reported.clear()
        await it.supervisor.stop()
        assert [s.entry_id for s in it.reported if s.state == "Stopped"] == ["app:a", "app:b", "app:c"]


async def test_what_requires_a_failed_or_missing_service_fails_and_says_why() -> None:
    entries = (
        service("app:bad", "app:nothing"),
        service("app:needs_bad", "app:idle", {"requires": ["app:bad"]}),
        service("app:needs_none", "app:idle", {"requires": ["app:nobody"]}),
    )
    async with watched(IDLE, *entries) as it:
        assert "app:nothing" in (await it.reach("app:bad", "Failed")).error
        assert "app:bad" in (await it.reach("app:needs_bad", "Failed")).error
        assert "app:nobody" in (await it.reach("app:needs_none", "Failed")).error


async def test_a_dependency_must_be_running_and_not_only_have_run() -> None:
    entries = process("app:once", "return 1"), service("app:short", "app:once")
    async with watched(IDLE, *entries) as it:
        await it.reach("app:short", "Exited")
        await it.reconcile(service("app:late", "app:idle", {"requires": ["short"], "stop_timeout": "10ms"}))
        assert "app:short" in (await it.reach("app:late", "Failed")).error


async def test_what_was_blocked_starts_as_soon_as_its_dependency_is_mended() -> None:
    needs = service("app:needs", "app:idle", {"requires": ["app:bad"], "stop_timeout": "10ms"})
    async with watched(IDLE, service("app:bad", "app:absent", {"stop_timeout": "10ms"}), needs) as it:
        await it.reach("app:needs", "Failed")
        await it.reconcile(process("app:absent", "process.inbox():receive()"))
        await it.reach("app:bad", "Running")
        await it.reach("app:needs", "Running")


async def test_services_of_one_level_start_without_waiting_for_each_other() -> None:
    """Each goes on only when it has seen the other."""
    body = """local me, other = ...
        process.registry.register(me)
        while not process.registry.lookup(other) do time.sleep('5ms') end
        process.registry.register(me .. ' met ' .. other)
        process.events():receive()"""
    pair = service("app:a", "app:greet", input=["a", "b"]), service("app:b", "app:greet", input=["b", "a"])
    async with watched(process("app:greet", body), *pair) as it:
        met = {"a met b", "b met a"}
        await it.it.until(lambda: met <= {name for each in it.it.node.processes() for name in each.names})


class Gates:
    """Parts that come up when the test says so."""

    def __init__(self) -> None:
        self.open: dict[str, asyncio.Event] = {}

    def gate(self, entry_id: str) -> asyncio.Event:
        return self.open.setdefault(entry_id, asyncio.Event())

    async def up(self, entry_id: str) -> bool:
        return await self.gate(entry_id).wait()


async def test_a_service_waits_for_its_host_and_for_what_that_requires() -> None:
    gates = Gates()
    gates.gate("app:procs").set()
    host = Entry(HOST.id, HOST.kind, {}, {**HOST.data, "lifecycle": {"requires": ["worker"]}})
    worker = Entry("app:worker", "temporal.worker", {}, {"client": "client", "task_queue": "q"})
    client = Entry("app:client", "temporal.client", {}, {"address": "nowhere"})
    entry = service("app:svc", "app:idle", {"stop_timeout": "10ms"})
    async with watched(IDLE, host, worker, client, entry, parts=gates) as it:
        await it.it.until(lambda: it.now("app:svc").error == "waits for 'app:worker'")
        gates.gate("app:worker").set()
        await it.it.until(lambda: it.now("app:svc").error == "waits for 'app:client'")
        assert it.now("app:svc").state == "Unknown"
        gates.gate("app:client").set()
        await it.reach("app:svc", "Running")


async def test_a_waiting_service_can_be_stopped() -> None:
    async with watched(IDLE, service("app:svc", "app:idle"), parts=Gates()) as it:
        await it.it.until(lambda: it.now("app:svc").error == "waits for 'app:procs'")
        await it.supervisor.stop_service("app:svc")
        assert it.now("app:svc").state == "Stopped"


async def test_a_service_that_is_not_this_nodes_does_not_run_here() -> None:
    mine = {"app:svc"}
    async with watched(POLITE, service("app:svc", "app:polite"), may_run=mine.__contains__) as it:
        await it.reach("app:svc", "Running")
        mine.clear()
        await it.supervisor.reconcile(it.it.catalog)
        assert it.supervisor.states() == []
        assert it.states("app:svc")[-1] == "Stopped"
        with pytest.raises(UnitFailed, match="no service"):
            await it.supervisor.start_service("app:svc", it.it.catalog)


async def test_a_service_started_by_hand_starts_with_what_it_requires_and_stays() -> None:
    by_hand = {"auto_start": False, "stop_timeout": "10ms"}
    entries = service("app:a", "app:idle", {"requires": ["b"], **by_hand}), service("app:b", "app:idle", by_hand)
    async with watched(IDLE, *entries) as it:
        await it.supervisor.start_service("app:a", it.it.catalog)
        before = (await it.reach("app:a", "Running")).pid
        assert it.now("app:b").state == "Running"
        await it.reconcile(process("app:other", ""))
        assert it.now("app:a").pid == before
        await it.supervisor.stop_service("app:a")
        assert it.now("app:a").state == "Stopped"


async def test_an_optional_service_is_known_as_such() -> None:
    async with watched(service("app:svc", "app:nothing", {"startup": "optional"})) as it:
        assert (await it.reach("app:svc", "Failed")).optional


async def test_a_cycle_fails_its_members_and_nobody_else() -> None:
    entries = (
        service("app:x", "app:idle", {"requires": ["y"]}),
        service("app:y", "app:idle", {"requires": ["x"]}),
        service("app:z", "app:idle", {"stop_timeout": "10ms"}),
    )
    async with watched(IDLE, *entries) as it:
        await it.reach("app:z", "Running")
        assert "dependency cycle" in it.now("app:x").error
        assert it.now("app:y").state == "Failed"


async def test_a_published_service_starts_and_a_deleted_one_stops() -> None:
    async with watched(POLITE) as it:
        await it.reconcile(service("app:svc", "app:polite"))
        await it.reach("app:svc", "Running")
        await it.reconcile(delete=("app:svc",))
        assert it.supervisor.states() == []
        assert it.states("app:svc")[-1] == "Stopped"


async def test_a_changed_program_restarts_the_service_and_an_unrelated_change_does_not() -> None:
    async with watched(POLITE, service("app:svc", "app:polite")) as it:
        before = (await it.reach("app:svc", "Running")).pid
        await it.reconcile(process("app:other", ""))
        assert it.now("app:svc").pid == before
        await it.reconcile(process("app:polite", "local e = process.events():receive() return 2"))
        assert (await it.reach("app:svc", "Running")).pid != before


async def test_a_service_can_be_stopped_and_restarted_by_hand() -> None:
    async with watched(POLITE, service("app:svc", "app:polite")) as it:
        await it.reach("app:svc", "Running")
        await it.supervisor.stop_service("app:svc")
        assert it.now("app:svc").state == "Stopped"
        await it.supervisor.reconcile(it.it.catalog)
        assert it.now("app:svc").state == "Stopped"
        await it.supervisor.start_service("app:svc", it.it.catalog)
        await it.reach("app:svc", "Running")


async def test_a_broken_listener_does_not_stop_the_service(caplog: pytest.LogCaptureFixture) -> None:
    async with lab(IDLE, service("app:svc", "app:idle", {"stop_timeout": "10ms"})) as it:

        def broken(state: ServiceState) -> None:
            raise RuntimeError(state.state)

        supervisor = Supervisor(it.node, broken)
        await supervisor.reconcile(it.catalog)
        await it.until(lambda: supervisor.states()[0].state == "Running")
        await supervisor.stop()


def test_levels_put_a_service_after_everything_it_requires() -> None:
    catalog = MemoryCatalog([HOST, IDLE])
    needs = {"app:a": ["b", "c"], "app:b": ["d"], "app:c": ["d"], "app:d": []}
    entries = [service(id_, "app:idle", {"requires": names}) for id_, names in needs.items()]
    levels, errors = start_levels({entry.id: ServiceSpec.read(entry, catalog) for entry in entries})
    assert levels == [["app:d"], ["app:b", "app:c"], ["app:a"]]
    assert errors == {}


def test_the_defaults_of_a_lifecycle_are_those_of_the_contract() -> None:
    spec = ServiceSpec.read(service("app:svc", "app:idle"), MemoryCatalog([HOST, IDLE]))
    assert (spec.start_timeout, spec.stop_timeout, spec.stable_threshold) == (10 * SECOND, 10 * SECOND, 5 * SECOND)
    assert (spec.backoff.initial, spec.backoff.longest, spec.backoff.factor, spec.backoff.jitter) == (
        SECOND,
        90 * SECOND,
        2.0,
        0.1,
    )
    assert spec.max_attempts == 0
