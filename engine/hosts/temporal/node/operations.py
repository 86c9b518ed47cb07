"""The activities by which operators look at one process of a node and start or stop its services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.operations import Operations, ProcessInfo
from engine.errors import UnitFailed, invalid, not_found
from engine.hosts.temporal.node.activities import fields_of, text_of
from engine.hosts.temporal.node.execution import Activity, translated, with_heartbeat
from engine.hosts.temporal.wire import payloads

START, STOP = "start", "stop"


class OperationActivities:
    """For the node's own queue; each takes one table."""

    def __init__(self, node: Operations) -> None:
        self._node = node

    def all(self) -> list[Activity]:
        """All of them."""
        return [self.describe, self.service]

    @activity.defn(name="wippy.describe")
    async def describe(self, request: RawValue) -> RawValue:
        """A process as it is now: {dest}; the fields of ProcessInfo, NotFound when it is gone."""
        with translated():
            pid = text_of(fields_of(request), "dest")
            info = self._node.describe(pid)
            if info is None:
                raise UnitFailed(not_found(f"process {pid} not found"))
            return RawValue(payloads.encode(_table(info), f"description of {pid}"))

    @activity.defn(name="wippy.service")
    async def service(self, request: RawValue) -> bool:
        """Start or stop a service: {entry, action}."""
        with translated():
            fields = fields_of(request)
            acts: dict[str, Callable[[str], Awaitable[None]]] = {
                START: self._node.start_service,
                STOP: self._node.stop_service,
            }
            act = acts.get(text_of(fields, "action"))
            if act is None:
                raise UnitFailed(invalid(f"unknown action '{fields['action']}'"))
            await with_heartbeat(_settled(act(text_of(fields, "entry"))))
            return True


async def _settled(act: Awaitable[None]) -> None:
    await act


def _table(info: ProcessInfo) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(info).items()}
