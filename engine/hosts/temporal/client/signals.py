"""Signals and cancel requests as raw service calls: the client's methods take no request id, identity or headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import RequestCancelWorkflowExecutionRequest, SignalWorkflowExecutionRequest
from temporalio.client import Client

from engine.hosts.temporal.wire import headers, payloads
from engine.steps import Value


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal; the server takes one of a `request_id` once."""

    workflow_id: str
    topic: str
    values: tuple[Value, ...]
    sender: str
    run_id: str
    request_id: str
    identity: str
    extra: Mapping[str, Value] | None = None


async def send_signal(client: Client, signal: Signal, timeout: timedelta) -> None:
    """Send it; raises UnitFailed when it is too large, RPCError when the server refuses it."""
    request = SignalWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=signal.workflow_id, run_id=signal.run_id),
        signal_name=signal.topic,
        input=Payloads(payloads=await encoded(client, signal)),
        identity=signal.identity or client.identity,
        request_id=signal.request_id,
    )
    head = headers.pack({headers.SENDER: signal.sender, **(signal.extra or {})})
    for name, payload in head.items():
        request.header.fields[name].CopyFrom(payload)
    await client.workflow_service.signal_workflow_execution(request, retry=True, timeout=timeout)


async def request_cancel(
    client: Client, workflow_id: str, reason: str, run_id: str, request_id: str, identity: str, timeout: timedelta
) -> None:
    """Request the cancellation of a run; raises RPCError when the server refuses it."""
    request = RequestCancelWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        identity=identity or client.identity,
        request_id=request_id,
        reason=reason,
    )
    await client.workflow_service.request_cancel_workflow_execution(request, retry=True, timeout=timeout)


async def encoded(client: Client, signal: Signal) -> list[Payload]:
    """Its values as the client sends them; raises UnitFailed when they are too large."""
    items = payloads.encode_all(signal.values, f"signal {signal.topic} to {signal.workflow_id}")
    codec = client.data_converter.payload_codec
    return await codec.encode(items) if codec else items
