"""Runs of the registry on queues that nobody serves, whoever started them: no worker would ever tell of one."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client, WorkflowExecution

from engine.contracts.catalog import Catalog
from wippy_console.database.threads import in_thread
from wippy_console.models import Run
from wippy_console.services.by_kind import WORKFLOW
from wippy_console.services.projection import Ref
from wippy_console.services.reconciler import calls
from wippy_console.services.visibility import first_page, on_others, ref_of, since

OVERLAP = timedelta(seconds=5)
LOOKED_AT = 50
"""The newest so many of each look; what others do in the namespace must not cost more."""


class Unserved:
    """Follows the starts on queues of others by a watermark in memory. Queues that others serve are theirs alone."""

    def __init__(self, client_id: str, catalog: Catalog) -> None:
        self._client_id = client_id
        self._catalog = catalog
        self._from: datetime | None = None

    async def look(self, client: Client, queues: list[str], start: datetime) -> list[Ref]:
        """Those that no row knows, since the last look or else since `start`."""
        begin = self._from or start
        page = await first_page(
            client,
            since("StartTime", begin - OVERLAP),
            "ExecutionStatus = 'Running'",
            on_others(queues),
            size=LOOKED_AT,
        )
        self._from = max([begin, *(execution.start_time for execution in page)])
        fresh = await in_thread(partial(self._fresh, page))
        on_them = {each.task_queue for each in fresh}
        served = {queue: await self._is_served(client, queue) for queue in on_them}
        return [ref_of(self._client_id, each) for each in fresh if not served[each.task_queue]]

    def _fresh(self, page: list[WorkflowExecution]) -> list[WorkflowExecution]:
        ours = {entry.id for entry in self._catalog.entries(WORKFLOW)}
        candidates = [execution for execution in page if execution.workflow_type in ours]
        ids = [execution.run_id for execution in candidates]
        known = set(Run.objects.filter(run_id__in=ids).values_list("run_id", flat=True)) if ids else set()
        return [execution for execution in candidates if execution.run_id not in known]

    @staticmethod
    async def _is_served(client: Client, queue: str) -> bool:
        return await calls.is_served(client, queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
