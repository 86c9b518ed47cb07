"""The dynamic activity: a function that a workflow calls, run on this node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.host import CallRequest
from engine.contracts.node import Node
from engine.entry import Entry
from engine.errors import NOT_FOUND, Failure, UnitFailed, invalid
from engine.hosts.temporal.node.execution import translated, with_heartbeat
from engine.hosts.temporal.node.heartbeats import Beats
from engine.hosts.temporal.observations import Observe, ignore
from engine.hosts.temporal.wire import headers, payloads
from engine.hosts.temporal.wire.bounds import MAX_LOCAL_RESULT
from engine.hosts.temporal.worker.attempts import attempt_told
from engine.registry.references import default_host
from engine.steps import Value

# Temporal retries the activity; the node must not retry the call inside it.
ONE_ATTEMPT: Mapping[str, Value] = {"retry": {"max_attempts": 1}}
# A node knows a version that was published just now a moment later.
NOTICED_SECONDS = 1.0

ATTEMPT = "activity"
"""The name in `ctx` of what a function may know of the activity that it runs as."""


class FunctionActivities:
    """The dynamic activity that runs the entry named by its type; `observe` hears of calls that keep failing."""

    def __init__(self, node: Node, observe: Observe = ignore) -> None:
        self._node = node
        self._observe = observe

    @activity.defn(dynamic=True)
    async def function(self, args: Sequence[RawValue]) -> RawValue:
        """Call the function on this node, with a heartbeat, and hand over its value or failure."""
        info = activity.info()
        with translated(), attempt_told(self._observe, info):
            beats = Beats()
            request = replace(await self._request(info, args), attempt=beats.attempt())
            value = await with_heartbeat(self._node.call(request), beats.pulse)
            return RawValue(_result(value, info))

    async def _request(self, info: activity.Info, args: Sequence[RawValue]) -> CallRequest:
        target = info.activity_type
        head = headers.received()
        entry = await self._entry(target)
        if entry is None:
            raise UnitFailed(_missing(target, final=headers.flag(head, headers.FINAL)))
        caller = headers.text(head, headers.SENDER)
        security = headers.security(head)
        options = {**ONE_ATTEMPT, **self._place(entry)}
        context = {**headers.context(head), ATTEMPT: _attempt(info)}
        return CallRequest(target, payloads.decode_all(args), options, context, caller, security)

    async def _entry(self, target: str) -> Entry | None:
        entry = self._node.catalog.entry(target)
        if entry is None:
            await asyncio.sleep(NOTICED_SECONDS)
            entry = self._node.catalog.entry(target)
        return entry

    def _place(self, entry: Entry) -> Mapping[str, Value]:
        """Where a process runs that is an activity by its meta and names no host: on the first one."""
        temporal = entry.meta.get("temporal")
        declared = isinstance(temporal, Mapping) and "activity" in temporal
        if entry.kind != "process.lua" or not declared or default_host(entry):
            return {}
        hosts = self._node.catalog.entries("process.host")
        return {"default_host": hosts[0].id} if hosts else {}


def _attempt(info: activity.Info) -> dict[str, Value]:
    """What tells attempts and calls apart; `key` is the same for all attempts of one call, and of no other."""
    return {
        "workflow_id": info.workflow_id,
        "run_id": info.workflow_run_id,
        "id": info.activity_id,
        "attempt": info.attempt,
        "key": f"{info.workflow_run_id}/{info.activity_id}",
    }


def _missing(target: str, *, final: bool) -> Failure:
    """Not tried again, unless the caller chose how often: for ever and in silence is what nobody means."""
    if not final:
        return Failure(NOT_FOUND, f"function '{target}' not found", retryable=True)
    text = (
        f"function '{target}' not found in the registry: publish it or correct the id, and start again; "
        "a call with a retry policy of its own waits for it"
    )
    return Failure(NOT_FOUND, text, retryable=False)


def _result(value: Value, info: activity.Info) -> Any:
    payload = payloads.encode(value, f"result of {info.activity_type}")
    if info.is_local and payload.ByteSize() > MAX_LOCAL_RESULT:
        text = f"result of {info.activity_type} is too large for a local activity: {payload.ByteSize()} bytes"
        raise UnitFailed(invalid(f"{text}, the limit is {MAX_LOCAL_RESULT}"))
    return payload
