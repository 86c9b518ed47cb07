"""The one workflow class: it runs every `workflow.lua` entry of every worker."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

from engine.hosts.temporal.wire import payloads
from engine.hosts.temporal.wire.interceptors import settings_of_worker
from engine.hosts.temporal.workflow.run import Run


@workflow.defn(dynamic=True, sandboxed=False)
class LuaWorkflow:
    """What the SDK makes an object of for each run. Its settings come with the interceptor of its worker."""

    def __init__(self) -> None:
        self._run = Run(settings_of_worker())

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> RawValue:
        """Run the workflow to its end."""
        return await self._run.main(args)

    @workflow.signal(dynamic=True, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    def signal(self, topic: str, args: Sequence[RawValue]) -> None:
        """Any signal is a message of that topic."""
        self._run.signal(topic, args)

    @workflow.query(dynamic=True)
    def query(self, name: str, args: Sequence[RawValue]) -> RawValue:
        """`state` and `pid`; others are NotFound."""
        return RawValue(payloads.encode(self._run.query(name), f"answer to query {name}"))

    @workflow.update(dynamic=True, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def update(self, topic: str, args: Sequence[RawValue]) -> RawValue:
        """Any update is a message of that topic, which the run answers."""
        return await self._run.update(topic, args)
