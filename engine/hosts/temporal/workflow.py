"""The one workflow class: it runs every `workflow.lua` entry of a worker."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

from engine.hosts.temporal import payloads
from engine.hosts.temporal.run import Run
from engine.hosts.temporal.settings import WorkerSettings


def workflow_class(settings: WorkerSettings) -> type:
    """A dynamic workflow class for one worker.

    The SDK makes workflow objects by itself and wants `run` on the class proper, hence a class per worker.
    """

    @workflow.defn(dynamic=True, sandboxed=False)
    class LuaWorkflow:
        def __init__(self) -> None:
            self._run = Run(settings)

        @workflow.run
        async def run(self, args: Sequence[RawValue]) -> RawValue:
            return await self._run.main(args)

        @workflow.signal(dynamic=True, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
        def signal(self, topic: str, args: Sequence[RawValue]) -> None:
            self._run.signal(topic, args)

        @workflow.query(dynamic=True)
        def query(self, name: str, args: Sequence[RawValue]) -> RawValue:
            return RawValue(payloads.encode(self._run.query(name), f"answer to query {name}"))

        @workflow.update(dynamic=True, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
        async def update(self, topic: str, args: Sequence[RawValue]) -> RawValue:
            return await self._run.update(topic, args)

    return LuaWorkflow
