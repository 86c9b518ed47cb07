"""Sends a decision to Temporal so that sending it twice has one effect, and finds the event that it became.

The decision's id is the request id, by which Temporal drops a repeated signal or cancel; it also travels in
the event itself (a signal's header, a termination's details), by which the event is found again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import TerminateWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.hosts.temporal.client.host import RPC_TIMEOUT
from engine.hosts.temporal.client.signals import Signal, request_cancel, send_signal
from engine.hosts.temporal.client.updates import Verdict, send_update
from engine.hosts.temporal.wire import headers, payloads
from engine.pids import Pid
from wippy_console.models import Decision
from wippy_console.services import accounts, histories, temporal
from wippy_console.services.decisions import resets

SIGNAL, CANCEL, TERMINATE, RESET = "signal", "cancel", "terminate", "reset"
UPDATE = "update"
VERDICT_TIMEOUT = timedelta(seconds=10)
"""So long a form waits for what the run says to an update; later the reconciler asks again."""
MOMENT = timedelta(seconds=0.5)
"""So long waits whoever has others to look after."""

# Temporal keeps a signal that comes while a workflow task runs aside, and writes its event after that task.
_PATIENCE = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
_CLOCK_SKEW = timedelta(minutes=1)


def send(decision: Decision, patience: timedelta | None = None) -> Verdict | None:
    """Send it; raises what Temporal raises, Unavailable when it can't be reached.

    Of an update the run's verdict, None when there is none for so long; of all else an empty one.
    """
    client = temporal.client(decision.run.client)
    if decision.via == UPDATE:
        return temporal.run(send_update(client, _message(decision), patience or VERDICT_TIMEOUT))
    if decision.action == RESET:
        return Verdict({"run_id": temporal.run(resets.send(client, decision))})
    temporal.run(_SENDERS[decision.action](client, decision))
    return Verdict()


def find_event(decision: Decision) -> int | None:
    """The id of the event that the decision became, None when it did not (yet)."""
    if decision.action == RESET:
        return resets.find_event(decision)
    return temporal.run(_find(temporal.client(decision.run.client), decision, _PATIENCE[:1]))


def await_event(decision: Decision) -> int | None:
    """The same just after sending it: waits a moment for the event to be written."""
    if decision.action == RESET:
        return resets.point(decision)
    return temporal.run(_find(temporal.client(decision.run.client), decision, _PATIENCE))


def canceled_by(decision: Decision) -> str:
    """The identity of whoever asked the decision's run to stop, "" when nobody did."""
    run = decision.run
    found = histories.find(temporal.client(run.client), run, _is_any_cancel, run.started_at - _CLOCK_SKEW)
    event = temporal.run(found)
    return event.workflow_execution_cancel_requested_event_attributes.identity or "somebody" if event else ""


async def _find(client: Client, decision: Decision, delays: tuple[float, ...]) -> int | None:
    since = decision.created_at - _CLOCK_SKEW
    for delay in delays:
        await asyncio.sleep(delay)
        try:
            found = await histories.find(client, decision.run, lambda event: _is_event_of(decision, event), since)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return None  # the run is gone, so sending will be refused, too
        if found is not None:
            return found.event_id
    return None


def _is_event_of(decision: Decision, event: HistoryEvent) -> bool:
    return _RECOGNISERS[decision.action](decision, event)


async def _signal(client: Client, decision: Decision) -> None:
    await send_signal(client, _message(decision), RPC_TIMEOUT)


def _message(decision: Decision) -> Signal:
    return Signal(
        workflow_id=decision.run.workflow_id,
        run_id=decision.run.run_id,
        topic=decision.topic,
        values=decision.values,
        sender=_sender(decision),
        request_id=str(decision.pk),
        identity=accounts.identity(decision.user),
        extra={headers.DECISION: str(decision.pk)},
    )


def _sender(decision: Decision) -> str:
    """Whom the run sees as the sender."""
    name = accounts.identity(decision.user)
    return name if accounts.is_command_line(decision.user) else str(Pid("", "console", name))


async def _cancel(client: Client, decision: Decision) -> None:
    run, key = decision.run, str(decision.pk)
    await request_cancel(
        client, run.workflow_id, decision.reason, run.run_id, key, accounts.identity(decision.user), RPC_TIMEOUT
    )


async def _terminate(client: Client, decision: Decision) -> None:
    await client.workflow_service.terminate_workflow_execution(
        TerminateWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=decision.run.workflow_id, run_id=decision.run.run_id),
            identity=accounts.identity(decision.user),
            reason=decision.reason,
            details=Payloads(payloads=[payloads.encode(str(decision.pk), "the decision")]),
        )
    )


def _is_signal(decision: Decision, event: HistoryEvent) -> bool:
    if decision.via == UPDATE:
        accepted = event.workflow_execution_update_accepted_event_attributes
        return accepted.accepted_request.meta.update_id == str(decision.pk)
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        return False
    attrs = event.workflow_execution_signaled_event_attributes
    return headers.text(attrs.header.fields, headers.DECISION) == str(decision.pk)


def _is_cancel(decision: Decision, event: HistoryEvent) -> bool:
    """Temporal records one cancel request per run, with who asked for it."""
    attrs = event.workflow_execution_cancel_requested_event_attributes
    return _is_any_cancel(event) and attrs.identity == accounts.identity(decision.user)


def _is_any_cancel(event: HistoryEvent) -> bool:
    return event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED


def _is_terminate(decision: Decision, event: HistoryEvent) -> bool:
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        return False
    details = event.workflow_execution_terminated_event_attributes.details.payloads
    return bool(details) and payloads.decode(details[0]) == str(decision.pk)


_SENDERS: dict[str, Callable[[Client, Decision], Any]] = {SIGNAL: _signal, CANCEL: _cancel, TERMINATE: _terminate}
_RECOGNISERS: dict[str, Callable[[Decision, HistoryEvent], bool]] = {
    SIGNAL: _is_signal,
    CANCEL: _is_cancel,
    TERMINATE: _is_terminate,
}
