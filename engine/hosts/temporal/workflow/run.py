"""One run: a unit of kind "workflow", driven by the activations of Temporal."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import CancelledError, FailureError

from engine.errors import CANCELED, NOT_FOUND, Failure, UnitFailed
from engine.hosts.temporal.observations import Observation, now
from engine.hosts.temporal.settings import WorkerSettings
from engine.hosts.temporal.wire import failures, headers, payloads
from engine.hosts.temporal.wire.bounds import check_name
from engine.hosts.temporal.wire.lookups import RESOLVE, Resolution
from engine.hosts.temporal.workflow.asking import ask_worker
from engine.hosts.temporal.workflow.budget import TaskBudget
from engine.hosts.temporal.workflow.commands import WorkflowCommands
from engine.hosts.temporal.workflow.entries import RunEntries
from engine.hosts.temporal.workflow.event_queue import EventQueue
from engine.hosts.temporal.workflow.queries import stack_text
from engine.hosts.temporal.workflow.routing import KnownNodes, Routing
from engine.hosts.temporal.workflow.sends import Acquaintances
from engine.hosts.temporal.workflow.updates import Updates
from engine.hosts.temporal.workflow.world import WorkflowWorld
from engine.lua.stacks import EMPTY
from engine.lua.unit import MOST_WAITS, Unit
from engine.program import Program
from engine.registry.policies import resolved
from engine.security.context import Security
from engine.steps import (
    KERNEL,
    CancelRequested,
    Event,
    Failed,
    Identity,
    Message,
    Returned,
    Status,
    Upgraded,
    Value,
    Waiting,
    Waits,
)

logger = logging.getLogger(__name__)

SYSTEM_PID = "{system|temporal}"
# The query `state` lists so many timers and so many other commands.
MOST_ANSWERED = 1_000
MOST_TOPICS = 50
"""Of the messages that a step took, as an observation tells them."""

# How the SDK decorates the reason of a workflow that asks another to stop.
_BY_WORKFLOW = re.compile(r"^Cancel requested by workflow with run id \S+( with reason: |$)")


@dataclass(frozen=True, slots=True)
class Pin:
    """What a run keeps: program, registry version (by which it reads options and policies), strictness, kernel."""

    program: Program
    version: int
    strict: bool
    kernel: int

    def __post_init__(self) -> None:
        if self.kernel > KERNEL:  # fails the task, which a newer worker will take
            raise RuntimeError(f"the run began with kernel {self.kernel}; this worker knows up to {KERNEL}: update it")


class Run:
    """A run from its first task to its last; lives on the thread of its workflow tasks.

    Only `main` steps the unit. An exception that is not a failure of Lua or Temporal is a bug: it leaves
    `main`, fails the workflow task, and Temporal tries the task again.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._events = EventQueue()
        self._budget = TaskBudget()
        self._updates = Updates(self._budget)
        self._known_nodes = KnownNodes()
        self._known_nodes.learn(headers.nodes(workflow.info().headers))
        self._acquaintances = Acquaintances()
        self._acquaintances.met(headers.text(workflow.info().headers, headers.PARENT))
        self._pid = settings.pid(workflow.info().workflow_id)
        self._status: Status = Waiting()
        self._unit: Unit | None = None
        self._pin: Pin | None = None
        self._canceled = False
        self._topics: tuple[str, ...] = ()

    async def main(self, args: Sequence[RawValue]) -> RawValue:
        """Drive the unit to its end and return its value; raises what Temporal is to record."""
        try:
            # All of the first activation comes before the first step: early signals, an early cancel.
            await self._until(lambda: True)
            self._pin = await self._pinned()
            return await self._drive(self._pin, payloads.decode_all(args))
        except UnitFailed as error:
            self._status = Failed(error.failure)
            self._observe(None)
            # A cause would travel as well, with its whole message.
            raise failures.application_error(error.failure) from None

    def signal(self, topic: str, args: Sequence[RawValue]) -> None:
        """A signal came."""
        head = headers.received()
        sender = headers.text(head, headers.SENDER)
        self._known_nodes.learn(headers.nodes(head))
        self._acquaintances.met(sender)
        self._events.message(Message(topic, payloads.decode_all(args), sender))

    async def update(self, topic: str, args: Sequence[RawValue]) -> RawValue:
        """An update came: it is answered when the run answers it."""
        info = workflow.current_update_info()
        update_id = info.id if info else ""
        self._events.update(Message(topic, payloads.decode_all(args), self._updates.sender(update_id)))
        return await self._updates.answer(update_id)

    def query(self, name: str) -> Value:
        """The engine's answers, which change nothing; raises NotFound for any other query."""
        match name:
            case "pid":
                return self._pid
            case "state":
                return self._state()
            case "stacks":
                return self._stacks()
            case _:
                failure = Failure(NOT_FOUND, f"query '{name}' not found: use state, stacks or pid", retryable=False)
                raise failures.application_error(failure)

    async def _until(self, ready: Callable[[], bool]) -> None:
        """Wait until `ready()`, which is looked at when all of an activation has arrived; a cancel is noted."""
        while True:
            try:
                await workflow.wait_condition(ready)
                return
            except asyncio.CancelledError:
                # Without a reason it is an eviction, which must get through.
                if workflow.cancellation_reason() is None or self._canceled:
                    raise
                self._note_cancel(workflow.cancellation_reason() or "")

    def _note_cancel(self, reason: str) -> None:
        self._canceled = True
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        self._events.cancel(CancelRequested(SYSTEM_PID, _BY_WORKFLOW.sub("", reason), workflow.time_ns()))

    async def _pinned(self) -> Pin:
        head = workflow.info().headers
        digest = headers.text(head, headers.PROGRAM)
        if digest:
            version, strict = headers.number(head, headers.VERSION), headers.flag(head, headers.STRICT)
            kernel = headers.number(head, headers.KERNEL) or 1
            return Pin(self._settings.catalog.pinned(digest), version, strict, kernel)
        handle = ask_worker(RESOLVE, workflow.info().workflow_type)
        await self._until(handle.done)
        try:
            found = Resolution.decode(handle.result().payload)
        except FailureError as error:
            raise UnitFailed(failures.from_exception(error)) from error
        return Pin(self._settings.catalog.pinned(found.digest), found.version, found.strict, found.kernel)

    async def _drive(self, pin: Pin, args: tuple[Value, ...]) -> RawValue:
        entries = RunEntries(self._settings.catalog, pin.version, pin.kernel)
        routing = Routing(self._settings, entries, self._known_nodes)
        head = workflow.info().headers
        security = await self._resolved(headers.security(head), entries)
        identity = Identity(self._pid, "workflow", headers.context(head), security, pin.strict, pin.kernel)
        commands = WorkflowCommands(
            routing, self._events, self._budget, self._updates, identity, pin.program.entry_id, self._acquaintances
        )
        limits = self._settings.limits_of(pin.kernel)
        unit = self._unit = self._settings.unit_factory(pin.program, identity, args, WorkflowWorld(), limits)
        if pin.kernel >= 2:  # runs begun before wait for each send
            unit.send_now = commands.sends.now
        try:
            await self._steps(unit, commands, args)
        finally:
            unit.close()
        await self._let_leave(commands)
        return self._finish(self._status)

    async def _resolved(self, security: Security | None, entries: RunEntries) -> Security | None:
        for policy in (security and security.scope) or ():
            if entries.lacks(policy.id):
                asked = entries.ask(policy.id)
                await self._until(asked.done)
                entries.keep(policy.id, asked)
        return resolved(security, entries.entry)

    async def _steps(self, unit: Unit, commands: WorkflowCommands, args: tuple[Value, ...]) -> None:
        startup = headers.messages(workflow.info().headers)
        for message in startup:
            self._acquaintances.met(message.sender)
        self._events.startup(startup)
        # Alone, so that an upgrade or an end in it does not swallow messages.
        self._step(unit, commands, [])
        self._observe(args)
        while isinstance(self._status, Waiting):
            await self._until(lambda: bool(self._events))
            events = self._events.take()
            if events:
                self._step(unit, commands, events)
                self._observe(None)

    def _step(self, unit: Unit, commands: WorkflowCommands, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, CancelRequested):
                commands.pass_on_cancel(event.reason)
        self._topics = tuple(event.topic for event in events if isinstance(event, Message))[:MOST_TOPICS]
        self._updates.refused.clear()
        began = self._budget.begin_round()
        step = unit.step(events)
        self._status = step.status
        self._budget.end_round(began, self._pin.kernel if self._pin else 1)
        commands.admit(step.commands)
        for command in step.commands:
            commands.carry_out(command)

    async def _let_leave(self, commands: WorkflowCommands) -> None:
        """Wait until what the last steps sent is on its way; a closed run's commands are dropped by the server."""
        while not commands.all_left():
            await self._until(lambda: commands.all_left() or self._events.any_alone())
            self._events.take_alone()
        self._events.check()

    def _finish(self, status: Status) -> RawValue:
        match status:
            case Returned(value):
                payload = payloads.encode(value, f"result of {workflow.info().workflow_type}")
                self._budget.spend(payload.ByteSize(), f"result of {workflow.info().workflow_type}")
                return RawValue(payload)
            case Failed(failure):
                raise self._failed(failure)
            case Upgraded():
                self._continue(status)
            case Waiting():
                pass
        raise AssertionError("a run that waits does not finish")

    def _failed(self, failure: Failure) -> FailureError:
        if self._canceled and failure.kind == CANCELED:
            return CancelledError(failure.message)
        return failures.application_error(failure)

    def _continue(self, upgrade: Upgraded) -> NoReturn:
        """Continue as new; what was not consumed goes along as startup messages."""
        kind = check_name(upgrade.entry or workflow.info().workflow_type, "workflow type")
        old = workflow.info().headers
        head = {name: old[name] for name in (headers.CONTEXT, headers.SECURITY, headers.PARENT) if name in old}
        head |= headers.pack_messages([*upgrade.messages, *self._events.messages()], f"messages kept for {kind}")
        arguments = payloads.encode_all(upgrade.args, kind)
        self._budget.spend(sum(payload.ByteSize() for payload in [*arguments, *head.values()]), f"upgrade to {kind}")
        with headers.outgoing(head):
            workflow.continue_as_new(args=payloads.raw(arguments), workflow=kind)

    def _observe(self, args: tuple[Value, ...] | None) -> None:
        if workflow.unsafe.is_replaying() or self._pin is None:
            return
        try:
            self._settings.observe(self._observation(self._pin, args))
        except Exception:
            logger.exception("the observer of runs failed")

    def _waits(self, most: int = MOST_WAITS) -> Waits:
        if self._unit is None or not isinstance(self._status, Waiting):
            return Waits()
        return self._unit.waits(most)

    def _observation(self, pin: Pin, args: tuple[Value, ...] | None) -> Observation:
        info, waits = workflow.info(), self._waits()
        return Observation(
            workflow_id=info.workflow_id,
            run_id=info.run_id,
            entry_id=pin.program.entry_id,
            pid=self._pid,
            client=self._settings.client,
            worker=self._settings.worker,
            task_queue=info.task_queue,
            namespace=info.namespace,
            digest=pin.program.digest,
            registry_version=pin.version,
            history_length=info.get_current_history_length(),
            status="running" if isinstance(self._status, Waiting) else "closing",
            waits=waits.listed,
            at=now(),
            started_at=info.workflow_start_time,
            input=args,
            parent_workflow_id=info.parent.workflow_id if info.parent else "",
            parent_run_id=info.parent.run_id if info.parent else "",
            first_run_id=info.first_execution_run_id,
            continued_run_id=info.continued_run_id or "",
            totals=waits.totals,
            topics=self._topics,
            refused=tuple(self._updates.refused[:MOST_TOPICS]),
        )

    def stack_text(self) -> str:
        """Where the coroutines stand, as `temporal workflow stack` shows it."""
        return stack_text(self._stacks())

    def _stacks(self) -> Mapping[str, Any]:
        """What the query `stacks` answers (docs/temporal.md#where-it-stands)."""
        entry = self._pin.program.entry_id if self._pin else workflow.info().workflow_type
        told = self._unit.stacks() if self._unit else EMPTY
        return {
            "pid": self._pid,
            "status": type(self._status).__name__.lower(),
            "entry": entry,
            "program": self._pin.program.digest if self._pin else "",
            "at": workflow.time_ns(),
            **told,
        }

    def _state(self) -> Mapping[str, Any]:
        """What the query `state` answers (docs/temporal.md#from-other-clients); deadlines in ns since the epoch."""
        waits = self._waits(MOST_ANSWERED)
        return {
            "pid": self._pid,
            "status": type(self._status).__name__.lower(),
            "entry": self._pin.program.entry_id if self._pin else workflow.info().workflow_type,
            "program": self._pin.program.digest if self._pin else "",
            "registry_version": self._pin.version if self._pin else 0,
            "cancel_requested": self._canceled,
            "waits": [asdict(wait) for wait in waits.listed],
            "totals": dict(waits.totals),
        }
