"""Interceptors: the only way by which headers get into and out of Temporal's API (see `headers`)."""

from __future__ import annotations

from typing import Any, NoReturn

import temporalio.client
import temporalio.worker
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import StartWorkflowInput, WorkflowHandle
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle, ChildWorkflowHandle

from engine.hosts.temporal.settings import WorkerSettings
from engine.hosts.temporal.wire import headers

_SETTINGS = "wippy_settings"


def settings_of_worker() -> WorkerSettings:
    """The settings of the worker that runs this workflow."""
    settings: WorkerSettings = workflow.extern_functions()[_SETTINGS]()
    return settings


def _with_ours(theirs: headers.Headers) -> dict[str, Payload]:
    return {**theirs, **headers.to_send()}


class ClientHeaders(temporalio.client.Interceptor):
    """Puts the outgoing headers on workflow starts. Signals are raw service calls that carry their own."""

    def intercept_client(self, next: temporalio.client.OutboundInterceptor) -> temporalio.client.OutboundInterceptor:
        """See the SDK."""
        return _ClientOutbound(next)


class _ClientOutbound(temporalio.client.OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.headers = _with_ours(input.headers)
        return await super().start_workflow(input)


class WorkerHeaders(temporalio.worker.Interceptor):
    """Shows the incoming headers to workflows and activities, and puts outgoing ones on all that workflows send.

    It also hands the settings of the worker to the workflow objects, which the SDK makes by itself.
    """

    def __init__(self, settings: WorkerSettings | None = None) -> None:
        self._settings = settings

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See the SDK."""
        return _ActivityInbound(next)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """See the SDK."""
        input.unsafe_extern_functions[_SETTINGS] = lambda: self._settings
        return _WorkflowInbound


class _ActivityInbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        with headers.incoming(input.headers):
            return await super().execute_activity(input)


class _WorkflowInbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowOutbound(outbound))

    async def handle_signal(self, input: HandleSignalInput) -> None:
        with headers.incoming(input.headers):
            await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with headers.incoming(input.headers):
            return await super().handle_update_handler(input)


class _WorkflowOutbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        input.headers = _with_ours(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        input.headers = _with_ours(input.headers)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        input.headers = _with_ours(input.headers)
        return await super().start_child_workflow(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        input.headers = _with_ours(input.headers)
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        input.headers = _with_ours(input.headers)
        await super().signal_external_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = _with_ours(input.headers)
        super().continue_as_new(input)
