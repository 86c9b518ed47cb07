"""The client side of a `temporal.worker` entry: starts, signals, cancels, ends and watches workflows."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import RawValue
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from engine.contracts.host import SpawnRequest, Watcher
from engine.errors import NOT_FOUND, Failure, UnitFailed, not_found
from engine.hosts.temporal.client import starting
from engine.hosts.temporal.client.closings import Closed, fetch_closing
from engine.hosts.temporal.client.connections import named
from engine.hosts.temporal.client.signals import Signal, request_cancel, send_signal
from engine.hosts.temporal.client.watches import Watches
from engine.hosts.temporal.settings import WorkerSettings, reference, task_queue
from engine.hosts.temporal.wire import failures, payloads
from engine.pids import Pid
from engine.steps import Value

RPC_TIMEOUT = timedelta(seconds=10)
WORKER = "temporal.worker"
VANISHED = not_found("Temporal has no record of this run any more")

Remembered = Callable[[str], Awaitable[Closed | None]]


async def _nothing(workflow_id: str) -> Closed | None:
    return None


class WorkflowHost:
    """A `Host` whose units are workflows; any node or console may have one for any worker.

    `remembered` tells how the latest run of a workflow id ended that Temporal has no record of any more, or None.
    A host in the place of `former` tells those who watch by that one.
    """

    kind = "workflow"

    def __init__(
        self,
        client: Client,
        settings: WorkerSettings,
        *,
        remembered: Remembered | None = None,
        former: WorkflowHost | None = None,
    ) -> None:
        self.id = settings.worker
        self.settings = settings
        self.client = client
        self._remembered = remembered or _nothing
        self._watches: Watches = former._watches if former else Watches()

    async def spawn(self, request: SpawnRequest) -> str:
        """Start the workflow and return its pid; one of that id may be used instead."""
        started = await self.start(request)
        return self.settings.pid(started.id)

    async def start(
        self, request: SpawnRequest, identity: str = "", *, request_id: str = ""
    ) -> WorkflowHandle[object, object]:
        """Start the workflow and return its handle, whose `result_run_id` names the run.

        `identity` is recorded in the history as who started it. `request_id`, a UUID, starts one run however often
        it is sent; startup messages are sent each time.
        """
        start = starting.prepare(self.settings, request, request_id)
        try:
            handle = await starting.start(named(self.client, identity) if identity else self.client, start)
        except (RPCError, WorkflowAlreadyStartedError) as error:
            raise UnitFailed(failures.from_exception(error)) from error
        if start.task_queue != self.settings.task_queue and handle.result_run_id:
            self.settings.observe(starting.elsewhere(self.settings, request, start, handle.result_run_id))
        return handle

    async def send(self, pid: str, topic: str, payloads: tuple[Value, ...], sender: str) -> None:
        """Signal the workflow; NotFound when there is none that runs."""
        await self.signal(self._workflow_id(pid), topic, payloads, sender=sender)

    async def signal(
        self,
        workflow_id: str,
        topic: str,
        values: tuple[Value, ...],
        *,
        sender: str = "",
        run_id: str = "",
        request_id: str = "",
        identity: str = "",
        extra: Mapping[str, Value] | None = None,
    ) -> None:
        """Signal a workflow, at most once for one `request_id`; `extra` are further headers by name.

        With `run_id` only that run gets it. `identity` is recorded in the history as who signalled.
        """
        request_id = request_id or str(uuid.uuid4())
        signal = Signal(workflow_id, topic, values, sender, run_id, request_id, identity, extra)
        try:
            await send_signal(self.client, signal, RPC_TIMEOUT)
        except RPCError as error:
            raise UnitFailed(_not_running(error, workflow_id)) from error

    async def cancel(self, pid: str, reason: str, sender: str) -> None:
        """Request the cancellation; the workflow sees a CANCEL event."""
        await self.request_cancel(self._workflow_id(pid), reason)

    async def request_cancel(
        self, workflow_id: str, reason: str, *, run_id: str = "", request_id: str = "", identity: str = ""
    ) -> None:
        """Request the cancellation of a run, at most once for one `request_id`."""
        try:
            await request_cancel(self.client, workflow_id, reason, run_id, request_id, identity, RPC_TIMEOUT)
        except RPCError as error:
            raise UnitFailed(_not_running(error, workflow_id)) from error

    async def terminate(self, pid: str, reason: str, sender: str) -> None:
        """End the workflow now."""
        await self.end(self._workflow_id(pid), reason)

    async def end(self, workflow_id: str, reason: str, *, run_id: str = "") -> None:
        """Terminate a run."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id or None)
        try:
            await handle.terminate(reason=reason or None, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            raise UnitFailed(_not_running(error, workflow_id)) from error

    async def watch(self, pid: str, token: str, watcher: Watcher) -> None:
        """Tell the watcher once, when the workflow ends; at once when it has."""
        workflow_id = self._workflow_id(pid)
        self._watches.add(workflow_id, token, pid, watcher)
        try:
            await self._look(workflow_id)
        except UnitFailed as error:
            closed = await self._remembered(workflow_id) if error.failure.kind == NOT_FOUND else None
            self._watches.drop(workflow_id, token)
            if closed is None:
                raise
            watcher(closed.exited(pid))

    async def unwatch(self, pid: str, token: str) -> None:
        """Forget the watch."""
        self._watches.drop(self._workflow_id(pid), token)

    def closed(self, run: Closed) -> None:
        """A run ended, says whoever follows Temporal; call it on the loop. Ends with a successor are no EXIT."""
        if not run.successor:
            self._watches.closed(run)

    def is_watched(self, workflow_id: str) -> bool:
        """Whether anybody waits for that workflow's end."""
        return self._watches.is_watched(workflow_id)

    @property
    def watches_any(self) -> bool:
        """Whether anybody waits for the end of any workflow."""
        return bool(self._watches.watched())

    async def sweep(self) -> None:
        """Look at every watched workflow: repairs what nobody reported. Its cost is one request per watch."""
        await self._look_at(self._watches.watched())

    async def sweep_unreported(self) -> None:
        """Look at the watched workflows on queues that are no worker's of the registry: nobody follows those."""
        await self._look_at(self._watches.unreported())

    async def _look_at(self, workflow_ids: Sequence[str]) -> None:
        for workflow_id in workflow_ids:
            try:
                await self._look(workflow_id)
            except UnitFailed as error:
                if error.failure.kind == NOT_FOUND:
                    self._watches.vanished(workflow_id, datetime.now(UTC), VANISHED)

    async def query(self, pid: str, name: str) -> Value:
        """Ask a workflow; `state` and `pid` are answered, others are NotFound."""
        handle = self.client.get_workflow_handle(self._workflow_id(pid))
        try:
            answer: RawValue = await handle.query(name, result_type=RawValue, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            raise UnitFailed(failures.from_exception(error)) from error
        return payloads.decode(answer.payload)

    async def describe(self, workflow_id: str, run_id: str = "") -> WorkflowExecutionDescription:
        """What Temporal says of a run (the latest without `run_id`); NotFound when it says nothing."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id or None)
        try:
            return await handle.describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            raise UnitFailed(failures.from_exception(error)) from error

    async def _look(self, workflow_id: str) -> None:
        """Fire the watches of a workflow that has ended. The latest run decides: earlier ones had successors."""
        description = await self.describe(workflow_id)
        while description.status is WorkflowExecutionStatus.RUNNING:
            reported = description.task_queue in self._followed_queues()
            if not self._watches.began(workflow_id, description.start_time, reported=reported):
                return
            description = await self.describe(workflow_id)
        try:
            closed = await fetch_closing(self.client, workflow_id, description.run_id)
        except RPCError as error:  # deleted meanwhile, or the server went away
            raise UnitFailed(failures.from_exception(error)) from error
        if closed is not None and not closed.successor:
            self._watches.ended(closed)

    def _followed_queues(self) -> set[str]:
        """The queues of all workers by this client; what ends on others must be asked for."""
        catalog = self.settings.catalog
        client = catalog.entry(self.settings.client)
        workers = (worker for worker in catalog.entries(WORKER) if reference(worker, "client") == self.settings.client)
        return {task_queue(worker, client) for worker in workers}

    def _workflow_id(self, pid: str) -> str:
        parsed = Pid.parse(pid)
        if parsed is None or parsed.node != self.settings.client:
            raise UnitFailed(not_found(f"could not resolve '{pid}' as PID or registered name"))
        return parsed.uniq


def _not_running(error: RPCError, workflow_id: str) -> Failure:
    failure = failures.from_exception(error)
    return not_found(f"workflow '{workflow_id}' not found") if failure.kind == NOT_FOUND else failure
