"""The reconciler's looks, one by one, against a real Temporal and the real database."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from engine.entry import Entry
from engine.hosts.temporal.observations import StartedElsewhere
from engine.memory.catalog import MemoryCatalog
from tests.patience import PATIENCE
from wippy_console.database.threads import in_thread
from wippy_console.models import FeedEvent, Node, Quarantine, Run
from wippy_console.services import batches, clock, fleet, states
from wippy_console.services.projection import Fact, Ref, Vanished, write
from wippy_console.services.reconciler import follower as following
from wippy_console.services.reconciler import reconciler as reconciling
from wippy_console.services.reconciler import troubles
from wippy_console.services.reconciler.follower import Follower, watermarks
from wippy_console.services.reconciler.unserved import Unserved
from wippy_console.services.visibility import quoted
from wippy_console.worker.temporal.followup import Followup

pytestmark = pytest.mark.django_db(transaction=True)

broken = threading.Event()


@workflow.defn(name="app:flow", sandboxed=False)
class Flow:
    """Ends at a signal; its tasks fail while `broken` is set."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self, number: int) -> int:
        if broken.is_set():
            raise RuntimeError("boom")
        await workflow.wait_condition(lambda: self.done)
        return number

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@activity.defn(name="app:flaky")
async def flaky() -> str:
    """Fails while `broken` is set."""
    if broken.is_set():
        raise ApplicationError("gateway says 503", type="Unavailable")
    return "well"


@workflow.defn(name="app:caller", sandboxed=False)
class Caller:
    """Calls the activity on a queue ("" is its own), again each tenth of a second."""

    @workflow.run
    async def run(self, queue: str) -> str:
        return await workflow.execute_activity(
            flaky, task_queue=queue or None, start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=0.1), backoff_coefficient=1),
        )  # fmt: skip


@pytest.fixture(autouse=True)
def mended() -> Iterator[None]:
    yield
    broken.clear()


@dataclass
class Scene:
    """A follower with all that it needs; facts are written as the node would."""

    temporal: Client
    queue: str
    catalog: MemoryCatalog
    facts: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.followup = Followup(self.catalog, self, self.facts.append)
        self.restart()

    def restart(self) -> None:
        """As after a restart of the node: a follower that knows nothing."""
        self.follower = Follower("app:client", self.catalog, self, self.followup, self.facts.append)

    async def client(self, client_id: str) -> Client:
        return self.temporal

    async def step(self) -> list[Fact]:
        """One step, and what came of it."""
        await self.follower.step()
        await asyncio.sleep(0.2)
        await self.followup.settle(PATIENCE)
        facts, self.facts[:] = list(self.facts), []
        await in_thread(lambda: write(self.catalog, facts))
        return facts

    async def start(self, name: str, queue: str = "", kind: str = "app:flow", arg: Any = 7) -> str:
        handle = await self.temporal.start_workflow(
            kind, arg, id=f"{name}-{self.queue}", task_queue=queue or self.queue
        )
        await self.listed(name, "Running")
        return handle.first_execution_run_id or ""

    async def listed(self, name: str, status: str) -> None:
        """Wait until Temporal's list, which lags, shows the run in that state."""
        query = f"WorkflowId = {quoted(f'{name}-{self.queue}')} AND ExecutionStatus = '{status}'"
        async with asyncio.timeout(PATIENCE):
            while not (await self.temporal.count_workflows(query)).count:
                await asyncio.sleep(0.02)

    def handle(self, name: str) -> Any:
        return self.temporal.get_workflow_handle(f"{name}-{self.queue}")

    async def until(self, condition: Callable[[Run], bool]) -> Run:
        """Step until the one run is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.step()
                run = await in_thread(Run.objects.first)
                if run is not None and condition(run):
                    return run

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        async with Worker(
            self.temporal, task_queue=self.queue, workflows=[Flow, Caller], activities=[flaky],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):  # fmt: skip
            yield


@pytest.fixture
async def scene(temporal_address: str) -> Scene:
    queue = f"it's {uuid.uuid4().hex[:6]}"
    catalog = MemoryCatalog(
        [
            Entry("app:client", "temporal.client", {}, {"address": temporal_address, "tq_prefix": "pre-"}),
            Entry("app:worker", "temporal.worker", {}, {"client": "client", "task_queue": queue}),
        ]
    )
    return Scene(await Client.connect(temporal_address), f"pre-{queue}", catalog)


async def the_run() -> Run:
    """The one row, whole: to look up what masks its values, as its attributes do, takes the database."""

    def read() -> Run:
        run = Run.objects.get()
        run.unveiled = True
        return run

    return await in_thread(read)


def kind_of(run: Run) -> str:
    assert run.failure is not None
    return str(run.failure["kind"])


async def kinds() -> list[str]:
    return await in_thread(lambda: list(FeedEvent.objects.order_by("id").values_list("kind", flat=True)))


async def test_a_run_that_nobody_observed_is_found(scene: Scene) -> None:
    run_id = await scene.start("a")
    await scene.start("foreign", queue="not-ours")
    await scene.step()
    run = await the_run()
    assert (run.run_id, run.entry_id, run.worker, run.input) == (run_id, "app:flow", "app:worker", [7])
    assert run.task_queue == scene.queue


async def test_a_run_that_ended_unseen_is_closed_with_its_result(scene: Scene) -> None:
    async with scene.worker():
        run_id = await scene.start("a")
        await scene.handle("a").signal("finish")
        assert await scene.handle("a").result() == 7
    await scene.listed("a", "Completed")
    await scene.step()
    await scene.step()
    run = await the_run()
    assert (run.run_id, run.status, run.result) == (run_id, "completed", 7)
    assert await kinds() == ["STARTED", "EXIT"]


@pytest.mark.parametrize("restart", [False, True])
async def test_a_termination_elsewhere_is_noticed(scene: Scene, restart: bool) -> None:
    await scene.start("a")
    await scene.step()
    await scene.handle("a").terminate("enough")
    await scene.listed("a", "Terminated")
    if restart:
        scene.restart()
    await scene.step()
    run = await the_run()
    assert (run.status, kind_of(run)) == ("terminated", "Canceled")
    assert await kinds() == ["STARTED", "EXIT"]


async def test_looking_again_writes_nothing_new(scene: Scene) -> None:
    await scene.start("a")
    for _ in range(4):
        await scene.step()
    assert await kinds() == ["STARTED"]


async def test_a_run_that_temporal_forgot_is_closed(scene: Scene) -> None:
    ref = Ref("app:client", "gone", str(uuid.uuid4()))
    await in_thread(
        lambda: Run.objects.create(
            run_id=ref.run_id, workflow_id="gone", entry_id="app:flow", client="app:client", started_at=timezone.now()
        )
    )
    facts = await scene.step()
    assert any(isinstance(fact, Vanished) for fact in facts)
    run = await the_run()
    assert (run.status, kind_of(run)) == ("terminated", "NotFound")


def lift_one() -> None:
    """As if an operator had just lifted the quarantine of the one run's program."""
    run, now = Run.objects.get(), timezone.now()
    Quarantine.objects.create(
        entry_id=run.entry_id, kind="workflow", digest=run.program, host=run.worker, seconds=6, at=now, lifted_at=now
    )


async def test_a_run_whose_task_fails_is_stuck_until_it_gets_on(scene: Scene) -> None:
    broken.set()
    async with scene.worker():
        await scene.start("a")
        for _ in range(40):
            await scene.step()
            if (await the_run()).stuck_reason:
                break
            await in_thread(lambda: Run.objects.update(started_at=timezone.now() - timedelta(minutes=1)))
            await asyncio.sleep(0.2)
        reason = (await the_run()).stuck_reason
        assert "boom" in reason
        assert (await kinds()).count("STUCK") == 1
        await in_thread(lift_one)
        said = (await scene.until(lambda run: run.stuck_reason != reason)).stuck_reason
        assert said.startswith("its quarantine is lifted, Temporal tries it again by 20")
        broken.clear()
        await scene.until(lambda run: not run.stuck_reason)
    assert (await kinds()).count("STUCK") == 1


async def test_a_run_that_no_worker_takes_is_a_trouble(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "SURELY_TAKEN", timedelta(seconds=0.5))
    run_id = await scene.start("a")
    await asyncio.sleep(1)
    found = await troubles.diagnose(scene.temporal, Ref("app:client", f"a-{scene.queue}", run_id))
    assert found is not None
    assert found.reason == f"no worker takes its workflow task from task queue {scene.queue}"


async def test_a_call_that_keeps_failing_on_any_worker_is_told_with_its_attempts_until_it_succeeds(
    scene: Scene,
) -> None:
    broken.set()
    async with scene.worker():
        await scene.start("a", kind="app:caller", arg="")
        first = (await scene.until(lambda run: bool(run.retrying))).retrying[0]
        assert (first["name"], first["kind"], first["message"]) == ("app:flaky", "Unavailable", "gateway says 503")
        assert first["attempt"] >= 4
        await scene.until(lambda run: run.retrying[0]["attempt"] > first["attempt"])
        broken.clear()
        await scene.until(lambda run: not run.is_open)
    assert (await the_run()).retrying == []
    assert [kind for kind in await kinds() if kind != "MOVING"] == ["STARTED", "RETRYING", "EXIT"]


async def test_a_call_on_a_queue_that_nobody_serves_is_a_trouble(scene: Scene) -> None:
    async with scene.worker():
        await scene.start("a", kind="app:caller", arg=f"nobody {scene.queue}")
        run = await scene.until(lambda run: bool(run.stuck_reason))
    assert run.stuck_reason == f"no worker serves task queue nobody {scene.queue}, for its call of app:flaky"
    assert states.of(run, asks=False).queue == f"nobody {scene.queue}"


async def test_a_run_on_a_queue_that_others_serve_is_followed_once_it_is_known(scene: Scene) -> None:
    queue = f"elsewhere {scene.queue}"
    run_id = await scene.start("a", queue=queue)
    name = f"a-{scene.queue}"
    known = StartedElsewhere("app:client", "app:worker", queue, name, run_id, "app:flow", timezone.now(), (7,))
    scene.facts.append(known)
    run = await scene.until(lambda run: bool(run.stuck_reason))
    assert run.stuck_reason == f"no worker serves task queue {queue}"
    await scene.handle("a").terminate("enough")
    assert (await scene.until(lambda run: not run.is_open)).status == "terminated"
    assert await kinds() == ["STARTED", "STUCK", "EXIT"]


async def test_a_run_of_ours_on_a_queue_that_nobody_serves_is_found_whoever_started_it(scene: Scene) -> None:
    scene.catalog.publish(Entry("app:flow", "workflow.lua", {}, {"source": "return function() end", "method": "main"}))
    await scene.start("a", queue=f"nobody {scene.queue}")
    run = await scene.until(lambda run: bool(run.stuck_reason))
    assert (run.entry_id, run.stuck_reason) == ("app:flow", f"no worker serves task queue nobody {scene.queue}")
    assert run.elsewhere


async def test_runs_of_others_and_those_on_queues_that_others_serve_are_not_ours(scene: Scene) -> None:
    scene.catalog.publish(
        Entry("app:caller", "workflow.lua", {}, {"source": "return function() end", "method": "main"})
    )
    await scene.start("a", queue=f"nobody {scene.queue}")
    others = replace(scene, queue=f"theirs {scene.queue}")
    async with others.worker():
        await others.start("b", kind="app:caller", arg=f"nobody {scene.queue}")
        for _ in range(3):
            assert await scene.step() == []


async def test_a_queue_is_asked_after_once_however_many_runs_began_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = timezone.now(), list[str]()
    page: list[Any] = [
        SimpleNamespace(run_id=f"r{n}", id=f"w{n}", workflow_type="app:flow", task_queue=f"q{n % 2}", start_time=now)
        for n in range(20)
    ]

    async def first_page(*_: Any, **__: Any) -> list[Any]:
        return page

    async def is_served(client: Any, queue: str, kind: Any) -> bool:
        asked.append(queue)
        return queue == "q0"

    monkeypatch.setattr("wippy_console.services.reconciler.unserved.first_page", first_page)
    monkeypatch.setattr("wippy_console.services.reconciler.calls.is_served", is_served)
    catalog: Any = MemoryCatalog([Entry("app:flow", "workflow.lua", {}, {"source": "return {}"})])
    client: Any = None
    found = await Unserved("app:client", catalog).look(client, ["ours"], now)
    assert ([ref.run_id for ref in found], sorted(asked)) == ([f"r{n}" for n in range(1, 20, 2)], ["q0", "q1"])


async def test_a_run_with_a_delay_is_scheduled_until_then(scene: Scene) -> None:
    await scene.temporal.start_workflow(
        "app:flow", 7, id=f"a-{scene.queue}", task_queue=scene.queue, start_delay=timedelta(hours=1)
    )
    state = states.of(await scene.until(lambda run: True), asks=False)
    assert state.key == "scheduled" and state.next_at is not None
    assert timedelta(minutes=55) < state.next_at - timezone.now() < timedelta(minutes=61)


def test_each_look_takes_the_next_of_the_runs_in_trouble() -> None:
    for number in range(45):
        Run.objects.create(
            run_id=f"r{number:02}", workflow_id="w", entry_id="e", client="app:client", started_at=timezone.now(),
            history_length=3, stuck_reason="boom", troubled_since=timezone.now(),
        )  # fmt: skip
    turns: troubles.Turns = {}
    seen: set[str] = set()
    for _ in range(3):
        refs, turns = troubles.suspects("app:client", turns)
        assert len(refs) <= 25
        seen |= {ref.run_id for ref in refs}
    assert len(seen) == 45


def many(count: int, **fields: Any) -> None:
    rows = [Run(run_id=f"r{n:02}", workflow_id="w", entry_id="e", client="app:client", **fields) for n in range(count)]
    Run.objects.bulk_create(rows)


def looks(count: int) -> list[set[str]]:
    """The runs that so many looks in a row are at."""
    turns: troubles.Turns = {}
    seen = []
    for _ in range(count):
        refs, turns = troubles.suspects("app:client", turns)
        seen.append({ref.run_id for ref in refs})
    return seen


def test_runs_whose_steps_no_node_of_ours_saw_are_all_looked_at_twenty_a_second() -> None:
    """Workers of other languages on our queues tell us nothing."""
    many(60, started_at=timezone.now() - timedelta(minutes=1))
    seen = looks(3)
    assert len(set.union(*seen)) == 60
    assert max(map(len, seen)) <= 30


def test_runs_that_begin_later_take_no_look_from_those_that_should_have_begun() -> None:
    late = timezone.now() + timedelta(hours=1)
    many(40, started_at=timezone.now() - timedelta(minutes=1), starts_at=late)
    Run.objects.create(
        run_id="q", workflow_id="w", entry_id="e", client="app:client", started_at=timezone.now() - timedelta(hours=1)
    )
    (seen,) = looks(1)
    assert "q" in seen and len(seen) <= 6


async def test_of_runs_that_temporal_reports_those_known_to_be_in_trouble_hide_no_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_thread(lambda: many(30, started_at=timezone.now(), history_length=3, troubled_since=timezone.now()))
    reported = [SimpleNamespace(id="w", run_id=f"r{n:02}") for n in range(31)]

    async def first_page(*_: object, size: int) -> list[SimpleNamespace]:
        return reported[:size]

    monkeypatch.setattr(following, "first_page", first_page)
    asked = await scene.follower._reported(scene.temporal, [scene.queue])
    assert [ref.run_id for ref in asked] == ["r30"]


async def test_a_batch_that_waits_for_its_temporal_holds_up_neither_due_dates_nor_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    goes_on, waited, ticks = threading.Event(), list[bool](), list[int]()

    def waits() -> int:
        waited.append(goes_on.wait(PATIENCE))
        return 0

    monkeypatch.setattr(fleet, "leader", lambda: "me")
    monkeypatch.setattr(batches, "tick", waits)
    monkeypatch.setattr(clock, "tick", lambda: ticks.append(len(waited)))
    catalog: Any = MemoryCatalog([])
    reconciler = reconciling.Reconciler("me", catalog, SimpleNamespace(), SimpleNamespace(), lambda fact: None)
    for _ in range(3):
        await reconciler._poll()
    assert ticks == [0, 0, 0], "and one slice at a time"
    goes_on.set()
    while not waited:
        await asyncio.sleep(0)


def test_watermarks_reach_back_from_the_newest_rows() -> None:
    now = timezone.now()
    assert watermarks("app:client")[0].year == 2000
    Run.objects.create(run_id="r", workflow_id="w", entry_id="e", client="app:client", started_at=now)
    started, closed = watermarks("app:client")
    assert timedelta(0) < now - started < timedelta(hours=1)
    assert closed.year == 2000
    assert watermarks("app:other")[0].year == 2000


def test_texts_in_queries_are_quoted() -> None:
    assert quoted('it\'s \\ "x"') == "'it\\'s \\\\ \"x\"'"


def test_the_oldest_live_node_leads() -> None:
    assert fleet.leader() == ""
    now = timezone.now()
    for name, age, beat in (("dead", 90, 60), ("old", 50, 1), ("young", 10, 1)):
        Node.objects.create(
            id=name,
            hostname="h",
            os_pid=1,
            started_at=now - timedelta(seconds=age),
            heartbeat_at=now - timedelta(seconds=beat),
        )
    Node.objects.create(id="left", hostname="h", os_pid=1, started_at=now, heartbeat_at=now, stopped_at=now)
    assert fleet.leader() == "old"
    assert {node.id: node.state for node in fleet.nodes()} == {
        "dead": "silent",
        "old": "alive",
        "young": "alive",
        "left": "stopped",
    }
    assert fleet.announce_silent()
    assert not fleet.announce_silent(), "said once"
    assert FeedEvent.objects.get().data["state"] == "silent"
