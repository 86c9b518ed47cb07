"""Children of a run: child workflows for spawn and exec (docs/lua.md#process-spawn)."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, TypedSearchAttributes
from temporalio.exceptions import FailureError

from engine.entry import Entry
from engine.errors import NOT_FOUND, UnitFailed, invalid
from engine.hosts.temporal.observations import StartedElsewhere, now
from engine.hosts.temporal.options.reading import WORKFLOW_PREFIXES
from engine.hosts.temporal.options.start import StartOptions, check_namespace
from engine.hosts.temporal.options.types import check_right
from engine.hosts.temporal.programs import workflow_type
from engine.hosts.temporal.wire import attributes, failures, headers, payloads
from engine.hosts.temporal.wire.bounds import Pending, check_name, check_queue
from engine.hosts.temporal.wire.lookups import ATTRIBUTES, RESOLVE, Resolution
from engine.hosts.temporal.workflow.asking import ask_worker
from engine.hosts.temporal.workflow.budget import TaskBudget
from engine.hosts.temporal.workflow.calls import fingerprint
from engine.hosts.temporal.workflow.event_queue import EventQueue
from engine.hosts.temporal.workflow.routing import ChildWorker, Routing
from engine.pids import Pid
from engine.steps import Exec, Identity, Message, Spawn

LINKS = (
    "linked spawn is not supported in workflow context: Temporal doesn't support bidirectional linking; "
    "child workflows are automatically monitored"
)

Handle = workflow.ChildWorkflowHandle[Any, Any]


class Children:
    """Starts the child workflows of one run."""

    def __init__(self, routing: Routing, events: EventQueue, budget: TaskBudget, identity: Identity) -> None:
        self._events = events
        self._routing = routing
        self._budget = budget
        self._identity = identity
        self._pid = identity.pid
        self._pending = Pending("children")

    async def start(self, command: Spawn | Exec) -> tuple[str, Handle]:
        """The pid and the handle of the started child; raises UnitFailed, or Temporal's error when it can't start."""
        if isinstance(command, Spawn) and command.link:
            raise UnitFailed(invalid(LINKS))
        target = self._routing.child(command.host)
        if self._routing.entries.lacks(command.entry):
            await self._routing.entries.learn(command.entry, self._events)
        entry = self._routing.entries.entry(command.entry)
        options = StartOptions.read(entry, command.options, command.name)
        _check(options)
        action = "process.spawn" if isinstance(command, Spawn) else "process.exec"
        check_right(WORKFLOW_PREFIXES, command.options, self._identity, action)
        arguments = payloads.encode_all(command.args, command.entry)
        head = self._headers(command, [*arguments], options)
        kind = options.type or await self._type(entry, command.entry, target)
        search = await self._search_attributes(options)
        workflow_id = options.id or _new_id(command.entry, arguments)
        self._pending.enter()
        try:
            with headers.outgoing(head):
                queue = options.task_queue or check_queue(target.queue)
                handle = await _start(kind, arguments, options, workflow_id, queue, search)
        except BaseException:
            self._pending.leave()
            raise
        handle.add_done_callback(self._pending.leave)
        self._tell(command, target, queue, handle)
        return self._pid_of(target, workflow_id), handle

    def _tell(self, command: Spawn | Exec, target: ChildWorker, queue: str, handle: Handle) -> None:
        """Of a child on a queue that no worker of ours may serve, nobody else tells the console."""
        info = workflow.info()
        if queue == info.task_queue or workflow.unsafe.is_replaying():
            return
        self._routing.tell(
            StartedElsewhere(
                client=target.client,
                worker=target.worker,
                task_queue=queue,
                workflow_id=handle.id,
                run_id=handle.first_execution_run_id or "",
                entry_id=command.entry,
                at=now(),
                input=command.args,
                parent_workflow_id=info.workflow_id,
                parent_run_id=info.run_id,
            )
        )

    async def _type(self, entry: Entry | None, entry_id: str, target: ChildWorker) -> str:
        return check_name(
            workflow_type(entry) if entry else await self._unknown_type(entry_id, target), "workflow type"
        )

    async def _search_attributes(self, options: StartOptions) -> TypedSearchAttributes | None:
        """Only known ones: an unknown one would fail the task for ever."""
        if not options.search_attributes:
            return None
        answer = await self._events.alone(ask_worker(ATTRIBUTES))
        return attributes.typed(options.search_attributes, payloads.decode(answer.payload))

    async def _unknown_type(self, entry_id: str, target: ChildWorker) -> str:
        """The workflow type of an entry that this run's registry version does not hold.

        It may be published since. When no registry version has it, it is NotFound on a worker of ours, and on a
        literal queue the name of a workflow type that somebody else's worker knows.
        """
        try:
            answer: RawValue = await self._events.alone(ask_worker(RESOLVE, entry_id))
        except FailureError as error:
            if target.literal and failures.from_exception(error).kind == NOT_FOUND:
                return entry_id
            raise
        return Resolution.decode(answer.payload).type

    def _pid_of(self, target: ChildWorker, workflow_id: str) -> str:
        return str(Pid(target.client, target.worker, workflow_id))

    def _headers(self, command: Spawn | Exec, arguments: list[Payload], options: StartOptions) -> dict[str, Payload]:
        messages = [Message(topic, values, self._pid) for topic, values in command.messages]
        head = headers.pack(
            {
                headers.CONTEXT: headers.portable(command.context),
                headers.SECURITY: headers.carried(command.security),
                headers.PARENT: self._pid,
            }
        )
        # In a header they are there before any signal, and cost the parent no event.
        head |= headers.pack_messages(messages, f"startup messages of {command.entry}")
        size = sum(
            payload.ByteSize() for payload in [*arguments, *head.values(), payloads.encode(options.memo, "memo")]
        )
        self._budget.spend(size, f"the start of {command.entry}")
        return head


def _new_id(entry_id: str, arguments: list[Payload]) -> str:
    name = entry_id.rpartition(":")[2][:200]
    return f"{name}-{workflow.uuid4().hex[:16]}-{fingerprint(arguments, entry_id)}"


def _check(options: StartOptions) -> None:
    """Raise Invalid for what Temporal does not do for children."""
    check_namespace(options, workflow.info().namespace)
    if options.start_delay:
        raise UnitFailed(invalid("option workflow.start_delay is not for child workflows: sleep before the spawn"))


async def _start(
    kind: str,
    arguments: list[Payload],
    options: StartOptions,
    workflow_id: str,
    queue: str,
    search: TypedSearchAttributes | None,
) -> Handle:
    return await workflow.start_child_workflow(
        kind,
        args=payloads.raw(arguments),
        id=workflow_id,
        task_queue=queue,
        result_type=RawValue,
        cancellation_type=options.cancellation,
        parent_close_policy=options.parent_close,
        execution_timeout=options.execution_timeout,
        run_timeout=options.run_timeout,
        task_timeout=options.task_timeout,
        id_reuse_policy=options.reuse,
        retry_policy=options.retry_policy,
        cron_schedule=options.cron_schedule,
        memo=options.memo,
        search_attributes=search,
        static_summary=options.summary,
        static_details=options.details,
        priority=options.priority,
        versioning_override=options.versioning,
        versioning_intent=options.versioning_intent,
    )
