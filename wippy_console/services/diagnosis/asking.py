"""Asks a run's worker by a query: an answer, or at once the reason why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode

from engine.hosts.temporal.wire import payloads
from wippy_console.models import Run
from wippy_console.services import states, temporal
from wippy_console.services.errors import NotFoundError, Refused, Unavailable

PATIENCE = 4.0
"""Seconds within which a worker answers or is told to be silent."""
JUST_BORN = 0.5
"""Seconds for a worker that starts at this moment, of which the server does not know yet."""

_LATE = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


def ask(run: Run, name: str, args: Sequence[Any] = ()) -> Payload:
    """The answer to a query; Unavailable says why nobody answers, Refused what the worker said against it."""
    if run.is_open and run.stuck_reason:
        raise Unavailable(_of_trouble(run.stuck_reason))
    client = temporal.client(run.client)
    given = payloads.raw(payloads.encode_all(list(args), f"arguments of query {name}"))
    return temporal.run(_asked(client, run, name, given), timeout=PATIENCE + 1)


def _of_trouble(reason: str) -> str:
    match states.of_reason(reason):
        case states.NO_WORKER:
            return f"Nobody can answer: {reason}."
        case states.QUARANTINED:
            return f"Its program may not run at the moment: {reason}."
        case _:
            return f"Its workflow task fails, so its worker can't look into it: {reason}."


async def _asked(client: Client, run: Run, name: str, args: list[RawValue]) -> Payload:
    query = asyncio.create_task(_query(client, run, name, args))
    pollers = asyncio.create_task(_pollers(client, run.task_queue))
    try:
        await asyncio.wait({query, pollers}, return_when=asyncio.FIRST_COMPLETED)
        if not query.done() and not await pollers:
            await asyncio.wait({query}, timeout=JUST_BORN)
        if not query.done() and not await pollers:
            raise Unavailable(f"Nobody can answer: no worker serves task queue {run.task_queue or '(unknown)'}.")
        return await query
    except RPCError as error:
        raise await _translated(run, error, pollers) from error
    finally:
        query.cancel()
        pollers.cancel()


async def _query(client: Client, run: Run, name: str, args: list[RawValue]) -> Payload:
    handle = client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
    patience = timedelta(seconds=PATIENCE)
    try:
        answer: RawValue = await handle.query(name, args=args, result_type=RawValue, rpc_timeout=patience)
    except WorkflowQueryFailedError as error:
        raise Refused(f"The worker refuses the query: {error}.") from error
    except WorkflowQueryRejectedError as error:
        raise Refused("The run is not in a state in which it answers queries.") from error
    return answer.payload


async def _pollers(client: Client, queue: str) -> list[PollerInfo]:
    """Who asked for workflow tasks of the queue in the last minutes; for a queue that is not known, somebody."""
    if not queue:
        return [PollerInfo()]
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return list((await client.workflow_service.describe_task_queue(request)).pollers)


async def _translated(run: Run, error: RPCError, pollers: asyncio.Task[list[PollerInfo]]) -> Exception:
    if error.status == RPCStatusCode.NOT_FOUND:
        return NotFoundError(f"Temporal no longer has run {run.run_id}.")
    if error.status in _LATE:
        return Unavailable(f"No worker answered within {PATIENCE:g} seconds. {_seen(await pollers)}")
    if error.status in (RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.INVALID_ARGUMENT):
        return Unavailable(f"Temporal passes no query on: {error.message.rstrip('.')}.")
    return temporal.translated(error)


def _seen(pollers: list[PollerInfo]) -> str:
    if not any(each.identity for each in pollers):
        return "No worker asks for its tasks."
    newest = max(pollers, key=lambda each: each.last_access_time.ToNanoseconds())
    ago = (datetime.now(UTC) - newest.last_access_time.ToDatetime(UTC)).total_seconds()
    return (
        f"The last to ask for its tasks was {newest.identity}, {max(0, ago):.0f} seconds ago; it may be busy or gone."
    )
