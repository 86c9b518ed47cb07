"""The activities by which consoles, runs and other nodes reach the units of this node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.host import CallRequest, Host, ProcessHost, SpawnRequest
from engine.contracts.node import Node
from engine.errors import UnitFailed, invalid, not_found
from engine.hosts.temporal.node.execution import Activity, translated, with_heartbeat
from engine.hosts.temporal.wire import payloads
from engine.security.context import Security
from engine.steps import Exited, Value


class NodeActivities:
    """The `wippy.*` activities; each takes one table, whose fields are those of the request it makes."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def all(self) -> list[Activity]:
        """For the fleet queue and the node's own."""
        return [self.call, self.run, *self.deliveries()]

    def deliveries(self) -> list[Activity]:
        """For the queues of workers: what runs ask of a node."""
        return [self.spawn, self.send, self.cancel, self.terminate]

    @activity.defn(name="wippy.call")
    async def call(self, request: RawValue) -> RawValue:
        """Call a function: {target, args, options, context, caller, security}; its value."""
        with translated():
            fields = fields_of(request)
            value = await with_heartbeat(
                self._node.call(
                    CallRequest(
                        text_of(fields, "target"),
                        _list(fields, "args"),
                        _table(fields, "options"),
                        _table(fields, "context"),
                        fields.get("caller") or "",
                        _security(fields),
                    )
                )
            )
            return RawValue(payloads.encode(value, f"result of {fields['target']}"))

    @activity.defn(name="wippy.spawn")
    async def spawn(self, request: RawValue) -> str:
        """Spawn a process or workflow: {entry, host, args, parent, name, options, context, messages, security}."""
        with translated():
            fields = fields_of(request)
            host = self._node.host(text_of(fields, "host"))
            if host is None:
                raise UnitFailed(not_found("host not found"))
            return await host.spawn(_spawn_request(fields))

    @activity.defn(name="wippy.run")
    async def run(self, request: RawValue) -> RawValue:
        """Spawn a process and wait for its end: the fields of `wippy.spawn`; {pid, value} or {pid, failure}."""
        with translated():
            fields = fields_of(request)
            host = self._node.host(text_of(fields, "host"))
            if not isinstance(host, ProcessHost):
                raise UnitFailed(not_found("host not found"))
            ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
            token = f"wippy.run {activity.info().activity_id}"
            pid = await host.spawn_watched(_spawn_request(fields), token, ended.set_result)
            try:
                exited = await with_heartbeat(_settled(ended))
            except asyncio.CancelledError:
                await host.unwatch(pid, token)
                raise
            told = {"failure": exited.failure} if exited.failure else {"value": exited.value}
            return RawValue(payloads.encode({"pid": pid, **told}, f"result of {fields['entry']}"))

    @activity.defn(name="wippy.send")
    async def send(self, request: RawValue) -> bool:
        """Send a message: {dest, topic, payloads, sender}."""
        with translated():
            fields = fields_of(request)
            host, pid = await self._found(fields)
            await host.send(pid, text_of(fields, "topic"), _list(fields, "payloads"), fields.get("sender") or "")
            return True

    @activity.defn(name="wippy.cancel")
    async def cancel(self, request: RawValue) -> bool:
        """Deliver CANCEL: {dest, reason, sender}."""
        with translated():
            fields = fields_of(request)
            host, pid = await self._found(fields)
            await host.cancel(pid, fields.get("reason") or "", fields.get("sender") or "")
            return True

    @activity.defn(name="wippy.terminate")
    async def terminate(self, request: RawValue) -> bool:
        """End a unit now: {dest, reason, sender}."""
        with translated():
            fields = fields_of(request)
            host, pid = await self._found(fields)
            await host.terminate(pid, fields.get("reason") or "", fields.get("sender") or "")
            return True

    async def _found(self, fields: Mapping[str, Any]) -> tuple[Host, str]:
        """The host and pid of whoever `dest` is or names."""
        dest = text_of(fields, "dest")
        pid = await self._node.find(dest) or dest
        return host_of(self._node, pid), pid


def host_of(node: Node, dest: str) -> Host:
    """The host of a pid; raises UnitFailed (NotFound)."""
    host = node.host_of(dest)
    if host is None:
        raise UnitFailed(not_found(f"could not resolve '{dest}' as PID or registered name"))
    return host


async def _settled(ended: asyncio.Future[Exited]) -> Exited:
    return await ended


def fields_of(request: RawValue) -> Mapping[str, Any]:
    """The table that a request is; UnitFailed (Invalid)."""
    value = payloads.decode(request.payload)
    if not isinstance(value, Mapping):
        raise UnitFailed(invalid("the request must be a table"))
    return value


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """A field that must be text; UnitFailed (Invalid)."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise UnitFailed(invalid(f"{name} must be a string"))
    return value


def _list(fields: Mapping[str, Any], name: str) -> tuple[Value, ...]:
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise UnitFailed(invalid(f"{name} must be a list"))
    return tuple(value)


def _table(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name) or {}
    if not isinstance(value, Mapping):
        raise UnitFailed(invalid(f"{name} must be a table"))
    return value


def _security(fields: Mapping[str, Any]) -> Security | None:
    try:
        return Security.from_json(fields.get("security"))
    except ValueError as error:
        raise UnitFailed(invalid(f"security: {error}")) from error


def _spawn_request(fields: Mapping[str, Any]) -> SpawnRequest:
    return SpawnRequest(
        entry=text_of(fields, "entry"),
        host=text_of(fields, "host"),
        args=_list(fields, "args"),
        parent=fields.get("parent") or "",
        name=fields.get("name") or "",
        options=_table(fields, "options"),
        context=_table(fields, "context"),
        security=_security(fields),
        messages=tuple((topic, tuple(values)) for topic, values in _list(fields, "messages")),
    )
