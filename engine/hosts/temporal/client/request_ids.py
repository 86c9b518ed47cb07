"""Request ids of starts: the client's methods take none, and the server starts one run for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest, StartWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import WorkflowService

_given: ContextVar[str] = ContextVar("request id of the start", default="")


@contextmanager
def starts_by(client: Client, request_id: str) -> Iterator[None]:
    """Starts within have the id, "" = one that the client makes up.

    The latest run of a workflow id answers a second start of the same id as the first, also when it has ended.
    """
    if request_id and not isinstance(client.workflow_service, _Naming):
        client.service_client.workflow_service = _Naming(client.service_client)
    token = _given.set(request_id)
    try:
        yield
    finally:
        _given.reset(token)


class _Naming(WorkflowService):
    """The service of one connection, whose starts take the id that is given."""

    async def start_workflow_execution(
        self,
        req: StartWorkflowExecutionRequest,
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> StartWorkflowExecutionResponse:
        """Send the start."""
        req.request_id = _given.get() or req.request_id
        return await super().start_workflow_execution(req, retry=retry, metadata=metadata, timeout=timeout)
