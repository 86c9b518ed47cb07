"""The one workflow class: it runs every `workflow.lua` entry of every worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from engine.hosts.temporal.wire import payloads
from engine.hosts.temporal.wire.interceptors import settings_of_worker
from engine.hosts.temporal.workflow import queries
from engine.hosts.temporal.workflow.run import Run


@workflow.defn(dynamic=True, sandboxed=False)
class LuaWorkflow:
    """What the SDK makes an object of for each run. Its settings come with the interceptor of its worker."""

    def __init__(self) -> None:
        self._run = Run(settings_of_worker())
        workflow.set_query_handler("__stack_trace", self._run.stack_text)

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> RawValue:
        """Run the workflow to its end."""
        return await self._run.main(args)

    @workflow.signal(dynamic=True, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    def signal(self, topic: str, args: Sequence[RawValue]) -> None:
        """Any signal is a message of that topic."""
        self._run.signal(topic, args)

    @workflow.query(name="state", description=queries.STATE)
    def state(self, *_: Any) -> RawValue:
        """Offered by name to those who ask what there is."""
        return self._answer("state")

    @workflow.query(name="stacks", description=queries.STACKS)
    def stacks(self, *_: Any) -> RawValue:
        """The same."""
        return self._answer("stacks")

    @workflow.query(name="pid", description=queries.PID)
    def pid(self, *_: Any) -> RawValue:
        """The same."""
        return self._answer("pid")

    @workflow.query(dynamic=True)
    def query(self, name: str, args: Sequence[RawValue]) -> RawValue:
        """Others are NotFound."""
        return self._answer(name)

    def _answer(self, name: str) -> RawValue:
        return RawValue(payloads.encode(self._run.query(name), f"answer to query {name}"))

    @workflow.update(dynamic=True, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def update(self, topic: str, args: Sequence[RawValue]) -> RawValue:
        """Any update is a message of that topic, which the run answers."""
        return await self._run.update(topic, args)
