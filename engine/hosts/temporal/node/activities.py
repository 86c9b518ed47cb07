"""Activities: functions called by workflows, and the `wippy.*` ones by which consoles and runs reach a node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.host import CallRequest, Host, ProcessHost, SpawnRequest
from engine.contracts.node import Node
from engine.entry import Entry
from engine.errors import CANCELED, NOT_FOUND, Failure, UnitFailed, invalid, not_found
from engine.hosts.temporal.node.peers import Peers
from engine.hosts.temporal.wire import failures, headers, payloads
from engine.hosts.temporal.workflow.budget import MAX_LOCAL_RESULT
from engine.registry.references import default_host
from engine.security.context import Security
from engine.steps import Exited, Value

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3.0

# Temporal retries the activity; the node must not retry the call inside it.
ONE_ATTEMPT: Mapping[str, Value] = {"retry": {"max_attempts": 1}}

T = TypeVar("T")
Activity = Callable[..., Awaitable[Any]]


class FunctionActivities:
    """The dynamic activity that runs the entry named by its type."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @activity.defn(dynamic=True)
    async def function(self, args: Sequence[RawValue]) -> RawValue:
        """Call the function on this node, with a heartbeat, and hand over its value or failure."""
        info = activity.info()
        with translated():
            value = await with_heartbeat(self._node.call(self._request(info.activity_type, args)))
            return RawValue(_result(value, info))

    def _request(self, target: str, args: Sequence[RawValue]) -> CallRequest:
        entry = self._node.catalog.entry(target)
        if entry is None:
            # Retried, since somebody may publish it.
            raise UnitFailed(Failure(NOT_FOUND, f"function '{target}' not found", retryable=True))
        head = headers.received()
        caller = headers.text(head, headers.SENDER)
        security = headers.security(head)
        options = {**ONE_ATTEMPT, **self._place(entry)}
        return CallRequest(target, payloads.decode_all(args), options, headers.context(head), caller, security)

    def _place(self, entry: Entry) -> Mapping[str, Value]:
        """Where a process runs that is an activity by its meta and names no host: on the first one."""
        temporal = entry.meta.get("temporal")
        declared = isinstance(temporal, Mapping) and "activity" in temporal
        if entry.kind != "process.lua" or not declared or default_host(entry):
            return {}
        hosts = self._node.catalog.entries("process.host")
        return {"default_host": hosts[0].id} if hosts else {}


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


class PeerActivities:
    """What other nodes ask of this one about its actors; each takes one table."""

    def __init__(self, node: Node, peers: Peers) -> None:
        self._node = node
        self._peers = peers

    def all(self) -> list[Activity]:
        """For the node's own queue."""
        return [self.watch, self.unwatch, self.ended, self.link, self.unlink]

    @activity.defn(name="wippy.watch")
    async def watch(self, request: RawValue) -> bool:
        """Tell a node of the end of a unit: {dest, token, node}; NotFound when there is no such unit."""
        with translated():
            fields = fields_of(request)
            pid = text_of(fields, "dest")
            await self._peers.watch_for(
                text_of(fields, "node"), host_of(self._node, pid), pid, text_of(fields, "token")
            )
            return True

    @activity.defn(name="wippy.unwatch")
    async def unwatch(self, request: RawValue) -> bool:
        """Undo `wippy.watch`: {dest, token, node}."""
        with translated():
            fields = fields_of(request)
            pid = text_of(fields, "dest")
            await self._peers.unwatch_for(
                text_of(fields, "node"), host_of(self._node, pid), pid, text_of(fields, "token")
            )
            return True

    @activity.defn(name="wippy.ended")
    async def ended(self, request: RawValue) -> bool:
        """Hear how a unit of another node ended: {dest, token, at, value, failure}; hearing it twice is harmless."""
        with translated():
            fields = fields_of(request)
            exited = Exited(text_of(fields, "dest"), fields["at"], fields.get("value"), fields.get("failure"))
            self._peers.told(text_of(fields, "token"), exited)
            return True

    @activity.defn(name="wippy.link")
    async def link(self, request: RawValue) -> bool:
        """Let an actor hold its side of a link: {dest, peer}."""
        with translated():
            fields = fields_of(request)
            await self._node.link(text_of(fields, "dest"), text_of(fields, "peer"))
            return True

    @activity.defn(name="wippy.unlink")
    async def unlink(self, request: RawValue) -> bool:
        """Undo `wippy.link`: {dest, peer}."""
        with translated():
            fields = fields_of(request)
            await self._node.unlink(text_of(fields, "dest"), text_of(fields, "peer"))
            return True


def host_of(node: Node, dest: str) -> Host:
    """The host of a pid; raises UnitFailed (NotFound)."""
    host = node.host_of(dest)
    if host is None:
        raise UnitFailed(not_found(f"could not resolve '{dest}' as PID or registered name"))
    return host


class translated:  # noqa: N801  reads as a statement
    """Makes failures of units what Temporal records."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the Temporal error of a failure; a cancelled call that says so ends as cancelled."""
        if isinstance(error, asyncio.CancelledError):
            _tell_if_unheard()
        if not isinstance(error, UnitFailed):
            return
        if error.failure.kind == CANCELED and activity.is_cancelled():
            _tell_if_unheard()
            raise asyncio.CancelledError from error
        info = activity.info()
        logger.info("%s failed, attempt %d: %s", info.activity_type, info.attempt, error.failure)
        raise failures.application_error(error.failure) from error


def _tell_if_unheard() -> None:
    """End a call that nobody waits for any more with an error that the SDK does not log, with a traceback, as ours."""
    info, details = activity.info(), activity.cancellation_details()
    if details and (details.timed_out or details.not_found):
        why = "timed out" if details.timed_out else "its run is over"
        logger.info("%s stopped, attempt %d: %s", info.activity_type, info.attempt, why)
        raise failures.application_error(Failure(CANCELED, why, retryable=True)) from None


async def with_heartbeat(work: Coroutine[Any, Any, T]) -> T:
    """The value of the work, with a heartbeat meanwhile; a cancel of the activity cancels the work and waits for it."""
    task = asyncio.ensure_future(work)
    beats = asyncio.ensure_future(_beat())
    try:
        return await _outlasting_cancel(task)
    finally:
        beats.cancel()


async def _settled(ended: asyncio.Future[Exited]) -> Exited:
    return await ended


async def _outlasting_cancel(task: asyncio.Future[T]) -> T:
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        return await task


async def _beat() -> None:
    """Beat after each pause, not before the first: a short call costs no beat. A local activity has none."""
    info = activity.info()
    timeout = info.heartbeat_timeout
    seconds = min(HEARTBEAT_SECONDS, timeout.total_seconds() / 3) if timeout else HEARTBEAT_SECONDS
    while not info.is_local:
        await asyncio.sleep(seconds)
        activity.heartbeat()


def _result(value: Value, info: activity.Info) -> Any:
    payload = payloads.encode(value, f"result of {info.activity_type}")
    if info.is_local and payload.ByteSize() > MAX_LOCAL_RESULT:
        text = f"result of {info.activity_type} is too large for a local activity: {payload.ByteSize()} bytes"
        raise UnitFailed(invalid(f"{text}, the limit is {MAX_LOCAL_RESULT}"))
    return payload


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
