"""Finds the run that a delivery started, also when others of its workflow id began and ended since."""

from __future__ import annotations

import logging
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.wire import payloads
from wippy_console.models import Delivery
from wippy_console.services import temporal
from wippy_console.services.visibility import pages, quoted, since

logger = logging.getLogger(__name__)

MEMO = "wippy-delivery"
"""Of a run: the delivery that it comes from."""
CLOCKS = timedelta(hours=1)
"""So far Temporal's clock may be behind ours."""


def run_of(host: WorkflowHost, workflow_id: str, delivery: Delivery) -> str:
    """The id of the run; "" when there is none. Temporal lists runs a moment after they began, which is no gap: the
    newest run of a workflow id is known by the request id of its start.
    """
    try:
        return temporal.run(_found(host.client, workflow_id, delivery))
    except RPCError as error:  # it answers, and lists nothing to us
        logger.warning("runs of %s can't be listed: %s", workflow_id, error.message)
        return ""


async def _found(client: Client, workflow_id: str, delivery: Delivery) -> str:
    """The first of them: runs that continue, retry or reset it have its memo as well."""
    found: list[WorkflowExecution] = []
    within = since("StartTime", delivery.received_at - CLOCKS)
    async for page in pages(client, f"WorkflowId = {quoted(workflow_id)}", within):
        found += [each for each in page if _comes_of(each, delivery)]
    return min(found, key=lambda each: each.start_time).run_id if found else ""


def _comes_of(execution: WorkflowExecution, delivery: Delivery) -> bool:
    memo = execution.raw_info.memo.fields
    return MEMO in memo and payloads.decode(memo[MEMO]) == str(delivery.pk)
