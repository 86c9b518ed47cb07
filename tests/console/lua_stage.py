"""A registry and a node with real Lua on a real Temporal: for pages that ask a run's worker."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User

from engine.entry import Entry
from engine.hosts.temporal.client.connections import ClientSettings, connect
from engine.hosts.temporal.observations import Observation, Observed
from engine.hosts.temporal.settings import worker_settings
from engine.hosts.temporal.worker.worker import workflow_worker
from engine.node import LocalNode
from tests.console.operating import CLIENT, WORKER, Cast, make_cast, on_a_thread
from tests.patience import PATIENCE
from wippy_console.management.operations import operator
from wippy_console.models import Run
from wippy_console.services import projection, registry, runs, temporal
from wippy_console.services.registry import Changes, DatabaseCatalog


@dataclass
class LuaStage:
    """Publishes entries, starts their runs, and tells the projection what the worker observed."""

    address: str
    cast: Cast
    queue: str = field(default_factory=lambda: f"q-{uuid.uuid4()}")
    seen: list[Observed] = field(default_factory=list)

    def publish(self, *entries: Entry) -> None:
        """Create or update entries."""
        known = {each.id for each in registry.entries()}
        changes = Changes(
            create=tuple(each for each in entries if each.id not in known),
            update=tuple(each for each in entries if each.id in known),
        )
        registry.publish(operator(), changes, base=None, message="stage")

    def start(self, entry: str, *args: Any, by: User | None = None) -> Run:
        """A run; the projection knows that it was started."""
        started = runs.start(by or self.cast.operator, entry, WORKER, list(args))
        return Run.objects.get(run_id=started.run_id)

    def waits(self, run: Run, kind: str, name: str = "") -> Run:
        """The run as the projection has it once it waits so."""
        self.until(lambda: any((each.kind, each.name) == (kind, name) for each in self._waits(run)))
        projection.write(temporal.catalog(), list(self.seen))
        return Run.objects.get(pk=run.pk)

    def _waits(self, run: Run) -> Any:
        mine = [each for each in self.seen if isinstance(each, Observation) and each.run_id == run.run_id]
        return mine[-1].waits if mine else ()

    @staticmethod
    def until(condition: Callable[[], bool]) -> None:
        """Look until it holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.02)


@contextmanager
def lua_stage(address: str) -> Iterator[LuaStage]:
    """The registry has a client and a worker, which nobody serves yet."""
    temporal.reset()
    made = LuaStage(address, make_cast())
    made.publish(
        Entry(CLIENT, "temporal.client", data={"address": address}),
        Entry(WORKER, "temporal.worker", data={"client": CLIENT, "task_queue": made.queue}),
    )
    yield made
    temporal.reset()


@contextmanager
def serving(stage: LuaStage) -> Iterator[None]:
    """A node that serves the stage's queue, on a loop thread of its own."""

    async def serve(until_stopped: Callable[[], Awaitable[None]]) -> None:
        client = await connect(ClientSettings(stage.address))
        catalog = DatabaseCatalog()
        node = LocalNode(f"node-{uuid.uuid4().hex[:8]}", catalog)
        await node.start()
        worker = workflow_worker(client, node, worker_settings(catalog, WORKER, stage.seen.append))
        async with worker:
            await until_stopped()
        await node.stop(1)
        catalog.close()

    with on_a_thread(serve):
        yield
