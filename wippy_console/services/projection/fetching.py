"""Fetch facts from Temporal: how a run began, how it ended, where it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from temporalio.api.common.v1 import WorkflowExecution as ExecutionName
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode

from engine.contracts.catalog import Catalog
from engine.hosts.temporal.observations import Observation
from engine.hosts.temporal.wire import payloads
from engine.steps import Wait
from wippy_console.services.projection.facts import Began, Ended, Ref
from wippy_console.services.projection.reading import beginning, ending, moment

RPC_TIMEOUT = timedelta(seconds=10)
TAIL = 50
_FIELDS = [field.name for field in fields(Wait)]


class Clients(Protocol):
    """Temporal clients by the id of their entry; UnitFailed (Unavailable) while Temporal does not answer."""

    async def client(self, client_id: str) -> Client:
        """The connected client."""
        ...


async def fetch_beginning(catalog: Catalog, client: Client, ref: Ref) -> Began:
    """How the run began; RPCError (NOT_FOUND) when Temporal does not know it."""
    async for event in handle_of(client, ref).fetch_history_events(page_size=1, rpc_timeout=RPC_TIMEOUT):
        return beginning(catalog, ref, [event])
    raise RPCError("the history is empty", RPCStatusCode.NOT_FOUND, b"")


async def fetch_ending(catalog: Catalog, client: Client, ref: Ref) -> Ended | None:
    """How the run ended, or None while it is open; RPCError (NOT_FOUND) when Temporal does not know it."""
    told = await fetch_told(catalog, client, ref)
    return told if isinstance(told, Ended) else None


async def fetch_told(catalog: Catalog, client: Client, ref: Ref) -> Began | Ended:
    """All that its whole history tells of the run; RPCError (NOT_FOUND) when Temporal does not know it."""
    history = await handle_of(client, ref).fetch_history(rpc_timeout=RPC_TIMEOUT)
    return await ending(catalog, ref, history.events) or beginning(catalog, ref, history.events)


async def fetch_state(client: Client, began: Began, since: int) -> Observation | None:
    """Where the run waits now, asked from its worker, or None when it took no step after event `since`.

    Repairs an observation that was lost with its node. The question makes a worker replay the run.
    """
    tail = await fetch_tail(client, began.ref)
    last, at = last_step(tail)
    if last <= since:
        return None
    answer: RawValue = await handle_of(client, began.ref).query("state", result_type=RawValue, rpc_timeout=RPC_TIMEOUT)
    state = payloads.decode(answer.payload)
    return observation(began, state, last, at) if state["status"] == "waiting" else None


async def fetch_tail(client: Client, ref: Ref) -> Sequence[HistoryEvent]:
    """The newest events, newest first."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=ExecutionName(workflow_id=ref.workflow_id, run_id=ref.run_id),
        maximum_page_size=TAIL,
    )
    answer = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=RPC_TIMEOUT)
    return answer.history.events


def last_step(tail: Sequence[HistoryEvent]) -> tuple[int, datetime]:
    """The length that the history had at the newest task that was completed, and when; 0 when the tail shows none."""
    for event in tail:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return event.workflow_task_completed_event_attributes.started_event_id, moment(event.event_time)
    return 0, datetime.now(UTC)


def observation(began: Began, state: Mapping[str, Any], length: int, at: datetime) -> Observation:
    """What the node would have observed, by the answer to the query `state`."""
    waits = tuple(_wait(each) for each in state["waits"])
    return Observation(
        workflow_id=began.ref.workflow_id,
        run_id=began.ref.run_id,
        entry_id=began.entry_id,
        pid=state["pid"],
        client=began.ref.client,
        worker=began.worker,
        task_queue=began.task_queue,
        namespace="",
        digest=state["program"],
        registry_version=state["registry_version"],
        history_length=length,
        status="running",
        waits=waits,
        at=at,
        started_at=began.started_at,
        input=began.input,
        parent_workflow_id=began.parent_workflow_id,
        parent_run_id=began.parent_run_id,
        totals=state.get("totals") or {},  # a worker of an earlier build tells all waits, and no totals
    )


def _wait(told: Mapping[str, Any]) -> Wait:
    """A wait as told; what a worker of another build tells besides is left, what it does not tell has its default."""
    return Wait(**{name: told[name] for name in _FIELDS if name in told})


def handle_of(client: Client, ref: Ref) -> WorkflowHandle[Any, Any]:
    """Temporal's handle of exactly that run."""
    return client.get_workflow_handle(ref.workflow_id, run_id=ref.run_id)


def is_gone(error: RPCError) -> bool:
    """Whether Temporal says that there is no such run."""
    return error.status == RPCStatusCode.NOT_FOUND
