"""Sends a reset, which Temporal does again for the same request id, and finds out whether one had its effect."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.hosts.temporal.client.host import RPC_TIMEOUT
from wippy_console.models import Decision
from wippy_console.services import accounts, temporal

_EXCLUDE = ResetReapplyExcludeType
_NEVER = [_EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST]
"""Whoever resets a run that was asked to stop wants it to go on."""


async def send(client: Client, decision: Decision) -> str:
    """Reset the run as the decision's payload says; the id of the new run. Raises what Temporal raises."""
    options, exclude = options_of(decision), list(_NEVER)
    exclude += [] if options["signals"] else [_EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL]
    exclude += [] if options["updates"] else [_EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE]
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=decision.run.workflow_id, run_id=decision.run.run_id),
        reason=decision.reason,
        workflow_task_finish_event_id=options["event_id"],
        request_id=str(decision.pk),
        reset_reapply_exclude_types=exclude,
        identity=accounts.identity(decision.user),
    )
    return (await client.workflow_service.reset_workflow_execution(request, timeout=RPC_TIMEOUT)).run_id


def find_event(decision: Decision) -> int | None:
    """The point of the reset when it had its effect, whose new run is the `verdict` then; None when it had none."""
    client, run = temporal.client(decision.run.client), decision.run
    try:
        found = temporal.run(client.get_workflow_handle(run.workflow_id, run_id=run.run_id).describe())
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return None  # sending is refused then, too
    run_id = found.raw_description.workflow_extended_info.reset_run_id
    if not run_id or run_id == options_of(decision)["before"]:
        return None
    decision.verdict = {"run_id": run_id}
    return point(decision)


def point(decision: Decision) -> int:
    """The workflow task that is carried out anew."""
    return int(options_of(decision)["event_id"])


def options_of(decision: Decision) -> dict[str, Any]:
    """What was chosen; `before` is the run to which this one was reset before, "" when it never was."""
    found = decision.payload if isinstance(decision.payload, dict) else {}
    return {"event_id": 0, "signals": True, "updates": True, "before": "", **found}
