"""The activities by which operators look at one process of a node and start or stop its services."""

from __future__ import annotations

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.operations import Operations
from engine.errors import UnitFailed, invalid, not_found
from engine.hosts.temporal.node.execution import Activity, translated, with_heartbeat
from engine.hosts.temporal.wire import answers, requests


class OperationActivities:
    """For the node's own queue; each takes one table."""

    def __init__(self, node: Operations) -> None:
        self._node = node

    def all(self) -> list[Activity]:
        """All of them."""
        return [self.describe, self.service]

    @activity.defn(name=requests.Describe.name)
    async def describe(self, argument: RawValue) -> RawValue:
        """A process as it is now; NotFound when it is gone."""
        with translated():
            pid = requests.Describe.decode(argument.payload).dest
            info = self._node.describe(pid)
            if info is None:
                raise UnitFailed(not_found(f"process {pid} not found"))
            return RawValue(answers.encode_process(info))

    @activity.defn(name=requests.Service.name)
    async def service(self, argument: RawValue) -> bool:
        """Start or stop a service."""
        with translated():
            service = requests.Service.decode(argument.payload)
            await with_heartbeat(self._act(service))
            return True

    async def _act(self, service: requests.Service) -> None:
        match service.action:
            case requests.START:
                await self._node.start_service(service.entry)
            case requests.STOP:
                await self._node.stop_service(service.entry)
            case action:
                raise UnitFailed(invalid(f"unknown action '{action}'"))
