"""Updates as raw service calls: of one id, so that a repeat has no second effect, with identity and headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.update.v1 import Input, Meta, Outcome, Request, UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest, UpdateWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.errors import Failure
from engine.hosts.temporal.client.signals import Signal, encoded
from engine.hosts.temporal.wire import failures, headers, payloads
from engine.steps import Value

_UNTIL_ANSWERED = WaitPolicy(lifecycle_stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED)
_AWAY = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run answered: a value, or the failure with which it refused."""

    value: Value = None
    failure: Failure | None = None


async def send_update(client: Client, update: Signal, timeout: timedelta) -> Verdict | None:
    """Send it, and wait so long for the answer: None when there is none yet; the same id again asks for it anew.

    Raises as `send_signal` does.
    """
    where = WorkflowExecution(workflow_id=update.workflow_id, run_id=update.run_id)
    request = UpdateWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=where,
        wait_policy=_UNTIL_ANSWERED,
        request=Request(
            meta=Meta(update_id=update.request_id, identity=update.identity or client.identity),
            input=Input(name=update.topic, args=Payloads(payloads=await encoded(client, update))),
        ),
    )
    head = headers.pack({headers.SENDER: update.sender, **(update.extra or {})})
    for name, payload in head.items():
        request.request.input.header.fields[name].CopyFrom(payload)
    try:
        answer = await client.workflow_service.update_workflow_execution(request, retry=True, timeout=timeout)
    except RPCError as error:
        if error.status in _AWAY:
            return None
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return await _of_closed(client, update, where, timeout, error)
    return await _verdict(client, answer.outcome) if answer.HasField("outcome") else None


async def _of_closed(
    client: Client, update: Signal, where: WorkflowExecution, timeout: timedelta, gone: RPCError
) -> Verdict:
    """A run that is over takes no update, but remembers what it answered."""
    poll = PollWorkflowExecutionUpdateRequest(
        namespace=client.namespace,
        update_ref=UpdateRef(workflow_execution=where, update_id=update.request_id),
        identity=client.identity,
        wait_policy=_UNTIL_ANSWERED,
    )
    try:
        answer = await client.workflow_service.poll_workflow_execution_update(poll, timeout=timeout)
    except RPCError:
        raise gone from None
    if not answer.HasField("outcome"):
        raise gone
    return await _verdict(client, answer.outcome)


async def _verdict(client: Client, outcome: Outcome) -> Verdict:
    converter = client.data_converter
    if outcome.HasField("failure"):
        error = await converter.decode_failure(outcome.failure)
        return Verdict(failure=failures.from_exception(error))
    items = list(outcome.success.payloads)
    codec = converter.payload_codec
    values = [payloads.decode(each) for each in (await codec.decode(items) if codec else items)]
    return Verdict(values[0] if values else None)
