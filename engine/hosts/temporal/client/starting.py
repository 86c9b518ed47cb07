"""Starting a workflow from outside: the program is pinned, startup messages come before all others."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.errors import UnitFailed, invalid, not_found
from engine.hosts.temporal.client import business_keys
from engine.hosts.temporal.client.request_ids import starts_by
from engine.hosts.temporal.client.search_attributes import typed_for
from engine.hosts.temporal.client.signals import Signal, send_signal
from engine.hosts.temporal.observations import StartedElsewhere, now
from engine.hosts.temporal.options.start import StartOptions, check_namespace
from engine.hosts.temporal.programs import WORKFLOW, current_program, workflow_type
from engine.hosts.temporal.settings import WorkerSettings
from engine.hosts.temporal.wire import headers, payloads
from engine.steps import KERNEL, Message

_TIMEOUT = timedelta(seconds=10)

Handle = WorkflowHandle[Any, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """A start that is ready to be sent."""

    type: str
    id: str
    task_queue: str
    arguments: list[Payload]
    headers: dict[str, Payload]
    messages: tuple[Message, ...]
    options: StartOptions
    request_id: str = ""
    keys: tuple[str, ...] = ()


def prepare(settings: WorkerSettings, request: SpawnRequest, request_id: str = "") -> Start:
    """Check the request and pin the program; raises UnitFailed. An id that is made up follows the request id."""
    entry = _entry(settings, request.entry)
    program, version = current_program(settings.catalog, entry.id)
    options = StartOptions.read(entry, request.options, request.name)
    head = {
        headers.PROGRAM: program.digest,
        headers.VERSION: version,
        headers.KERNEL: KERNEL,
        headers.PARENT: request.parent,
        headers.SENDER: request.parent,
        headers.CONTEXT: headers.portable(request.context),
        headers.SECURITY: headers.carried(request.security),
        headers.STRICT: settings.strict or None,
        headers.WORKER: settings.worker,
    }
    return Start(
        type=workflow_type(entry),
        id=options.id or f"{entry.name}-{(uuid.UUID(request_id) if request_id else uuid.uuid4()).hex}",
        task_queue=options.task_queue or settings.task_queue,
        arguments=payloads.encode_all(request.args, entry.id),
        headers=headers.pack(head),
        messages=tuple(Message(topic, values, request.parent) for topic, values in request.messages),
        options=options,
        request_id=request_id,
        keys=tuple(settings.keys(entry, request.args)),
    )


async def start(client: Client, start: Start) -> Handle:
    """Start it, with its messages; raises Temporal's errors, or UnitFailed for what is too large."""
    check_namespace(start.options, client.namespace)
    if not start.messages:
        return await _start(client, start, start.headers)
    if start.options.id and start.options.conflict is not WorkflowIDConflictPolicy.USE_EXISTING:
        # The server takes no signal along with these policies; a header comes before any signal, too.
        packed = headers.pack_messages(start.messages, f"startup messages of {start.type}")
        return await _start(client, start, start.headers | packed)
    first, *rest = start.messages
    handle = await _start(client, start, start.headers, first)
    for message in rest:
        await send_signal(client, _signal(start, message), _TIMEOUT)
    return handle


def elsewhere(settings: WorkerSettings, request: SpawnRequest, start: Start, run_id: str) -> StartedElsewhere:
    """What the console is told of a run on another queue than the worker's."""
    return StartedElsewhere(
        client=settings.client,
        worker=settings.worker,
        task_queue=start.task_queue,
        workflow_id=start.id,
        run_id=run_id,
        entry_id=request.entry,
        at=now(),
        input=request.args,
    )


def _entry(settings: WorkerSettings, entry_id: str) -> Entry:
    entry = settings.catalog.entry(entry_id)
    if entry is None:
        raise UnitFailed(not_found(f"workflow '{entry_id}' not found"))
    if entry.kind != WORKFLOW:
        raise UnitFailed(invalid(f"entry '{entry_id}' is a {entry.kind}, not a {WORKFLOW}"))
    return entry


async def _start(client: Client, start: Start, head: dict[str, Payload], first: Message | None = None) -> Handle:
    """With its business keys, if the server takes them: no start fails because of them."""
    given = await typed_for(client, start.options.search_attributes)
    keys = await business_keys.attribute(client, start.keys)
    if keys is None:
        return await _sent(client, start, head, first, given)
    try:
        return await _sent(client, start, head, first, business_keys.joined(given, keys))
    except RPCError as error:
        if error.status != RPCStatusCode.INVALID_ARGUMENT:
            raise
        business_keys.doubt(client)
        return await _sent(client, start, head, first, given)


async def _sent(
    client: Client,
    start: Start,
    head: dict[str, Payload],
    first: Message | None,
    attributes: TypedSearchAttributes | None,
) -> Handle:
    options = start.options
    signal_args = payloads.encode_all(first.payloads, f"startup message {first.topic}") if first else []
    with headers.outgoing(head), starts_by(client, start.request_id):
        return await client.start_workflow(
            start.type,
            args=payloads.raw(start.arguments),
            id=start.id,
            task_queue=start.task_queue,
            execution_timeout=options.execution_timeout,
            run_timeout=options.run_timeout,
            task_timeout=options.task_timeout,
            id_reuse_policy=options.reuse,
            id_conflict_policy=_conflict(start, first),
            retry_policy=options.retry_policy,
            cron_schedule=options.cron_schedule,
            memo=options.memo,
            search_attributes=attributes,
            static_summary=options.summary,
            static_details=options.details,
            start_delay=options.start_delay,
            start_signal=first.topic if first else None,
            start_signal_args=payloads.raw(signal_args),
            request_eager_start=options.eager,
            priority=options.priority,
            versioning_override=options.versioning,
        )


def _signal(start: Start, message: Message) -> Signal:
    request_id = str(uuid.uuid4())
    return Signal(start.id, message.topic, tuple(message.payloads), message.sender, "", request_id, "")


def _conflict(start: Start, first: Message | None) -> WorkflowIDConflictPolicy:
    # A generated id meets no other workflow, and signal-with-start refuses the policy "fail".
    return WorkflowIDConflictPolicy.USE_EXISTING if first else start.options.conflict
