"""What each command of a step does on an actor host (docs/architecture.md#the-seam).

`prepare` runs outside of the lock and does what may take a while: looking up entries, writing log
lines. `carry_out` runs under the lock and does the commands in their order of issue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from engine.contracts.fleet_names import FleetNames
from engine.contracts.host import CallRequest, SpawnRequest
from engine.durations import SECOND
from engine.errors import Failure, UnitFailed
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.answers import Answer, Answers, Deferred, refusal
from engine.hosts.actor.asks.handlers import AskHandlers
from engine.hosts.actor.attempts import Nested, asked
from engine.hosts.actor.calls import Calls
from engine.hosts.actor.concurrency.deadlines import Timer
from engine.hosts.actor.destinations import Destination, Destinations, Elsewhere, FleetName, Here, Nowhere
from engine.hosts.actor.failures import unresolved
from engine.hosts.actor.local import LocalCommands
from engine.hosts.actor.operating import Operating
from engine.hosts.actor.remote import RemoteCommands
from engine.hosts.actor.table import Table
from engine.hosts.actor.targets import CallTarget, LocalTarget, RemoteTarget, Target, Targets, attempt
from engine.hosts.logs import write_log
from engine.lua.marshal import size_of
from engine.program import Program
from engine.steps import (
    Ask,
    Call,
    CancelCall,
    CancelTimer,
    Command,
    Control,
    Exec,
    Log,
    Message,
    Rejected,
    Resolved,
    Send,
    Spawn,
    StartTimer,
    Step,
    Upgraded,
    Value,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was looked up for a step: targets, sizes in bytes and what calls ask by seq; the program to upgrade to."""

    targets: Mapping[int, Target | Failure] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)
    asked: Mapping[int, str] = field(default_factory=dict)
    upgrade: Program | Failure | None = None


NOTHING = Plan()
FEW = 4096
"""Bytes of a command that need no counting: so many commands may be in flight."""


_HEAVY = (Call, Spawn, Exec, Send, Ask)


@dataclass(slots=True, eq=False)
class RunningTimer:
    """A timer in flight; called when its time has come."""

    table: Table
    actor: Actor
    seq: int
    timer: Timer | None = None

    def __call__(self) -> None:
        """Answer its command."""
        self.table.answer(self.actor, self, Resolved(self.seq))

    def abandon(self) -> None:
        """Stop it."""
        if self.timer is not None:
            self.table.bridge.stop_timer(self.timer)

    def pass_on_cancel(self, reason: str) -> None:
        """Nothing: timers go on when their unit is asked to stop."""


class Commands:
    """Carries out commands."""

    def __init__(
        self,
        table: Table,
        targets: Targets,
        destinations: Destinations,
        answers: Answers,
        *,
        calls: Calls,
        local: LocalCommands,
        remote: RemoteCommands,
        asks: AskHandlers,
        operating: Operating,
    ) -> None:
        self._table = table
        self._targets = targets
        self._destinations = destinations
        self._answers = answers
        self._calls = calls
        self._local = local
        self._remote = remote
        self._asks = asks
        self._operating = operating

    # --- without the lock --------------------------------------------------------------------

    def prepare(self, actor: Actor, step: Step) -> Plan:
        """Look up what the commands need and write log lines."""
        targets: dict[int, Target | Failure] = {}
        calls: dict[int, str] = {}
        sizes = {each.seq: size for each in step.commands if isinstance(each, _HEAVY) and (size := _size(each)) > FEW}
        for command in step.commands:
            match command:
                case Log():
                    write_log(command, actor.pid, actor.program.entry_id)
                case Call():
                    targets[command.seq] = attempt(self._targets.call, _call_request(actor, command))
                    if actor.attempt is not None:
                        calls[command.seq] = asked(command)
                case Spawn() | Exec():
                    targets[command.seq] = attempt(self._targets.spawn, command.entry, command.host)
                case _:
                    pass
        if isinstance(step.status, Upgraded):
            return Plan(targets, sizes, calls, attempt(self._targets.upgrade, actor.program, step.status.entry))
        return Plan(targets, sizes, calls) if targets or sizes else NOTHING

    def send_now(self, actor: Actor, dest: str, topic: str, payloads: Sequence[Value]) -> Failure | bool:
        """Deliver to an actor of this node within the sender's step; False when it takes a command."""
        with self._table.lock:
            receiver = None if actor.ended else self._table.find(dest)
            if receiver is None:
                return False
            return self._table.post(receiver, Message(topic, payloads, actor.pid)) or True

    # --- under the lock ----------------------------------------------------------------------

    def carry_out(self, actor: Actor, commands: Sequence[Command], plan: Plan) -> None:
        """Do commands of a step, unless one of them ends the actor."""
        for command in commands:
            if actor.ended:
                return
            self._do(actor, command, plan)

    def _do(self, actor: Actor, command: Command, plan: Plan) -> None:
        match command:
            case Send() | Control():
                answer = self._reach(actor, command, self._destinations.of(command.dest))
                self._answers.give(actor, command.seq, answer, plan.sizes.get(command.seq, 0))
            case StartTimer() | CancelTimer() | CancelCall():
                self._wait_or_give_up(actor, command)
            case Call() | Spawn() | Exec():
                self._start(actor, command, plan)
            case Ask():
                self._ask(actor, command, plan.sizes.get(command.seq, 0))
            case Log():
                pass
            case _:
                assert_never(command)

    def _ask(self, actor: Actor, command: Ask, size: int) -> None:
        if operation := self._operating.named(command.name):
            self._operating.begin(actor, command, operation, size)
        else:
            self._answers.give(actor, command.seq, self._asks.answer(actor, command), size)

    def _wait_or_give_up(self, actor: Actor, command: StartTimer | CancelTimer | CancelCall) -> None:
        match command:
            case StartTimer(seq, duration):
                self._start_timer(actor, seq, duration)
            case CancelTimer(seq) | CancelCall(seq):
                pending = actor.expect_no_more(seq)
                if pending is not None:
                    pending.abandon()
            case _:
                assert_never(command)

    def _start(self, actor: Actor, command: Call | Spawn | Exec, plan: Plan) -> None:
        target, size = plan.targets[command.seq], plan.sizes.get(command.seq, 0)
        match command, target:
            case _, Failure():
                self._table.reply(actor, command.seq, target)
            case Call() | Exec(), _ if failure := refusal(actor, size):
                self._table.reply(actor, command.seq, failure)
            case Call(), CallTarget():
                self._call(actor, command, target, size, plan.asked.get(command.seq, ""))
            case Spawn(), LocalTarget():
                answer = self._local.spawn(actor, target, command, _spawn_request(actor, command, size))
                self._answers.give(actor, command.seq, answer)
            case Spawn(), RemoteTarget(host):
                answer = self._remote.spawn(actor, host, command, _spawn_request(actor, command, size))
                self._answers.give(actor, command.seq, answer, size)
            case Exec(), LocalTarget():
                self._local.execute(actor, target, command, _spawn_request(actor, command, size))
            case Exec(), RemoteTarget(host):
                self._remote.execute(actor, host, command, _spawn_request(actor, command, size))
            case _:
                raise TypeError(f"{command} does not go with {target}")

    def _call(self, actor: Actor, command: Call, target: CallTarget, size: int, what: str) -> None:
        def done(value: Value, failure: Failure | None, held: int) -> None:
            seq = command.seq
            event = Resolved(seq, value, held) if failure is None else Rejected(seq, failure, held)
            self._table.answer(actor, call, event)

        request = _call_request(actor, command, size)
        if actor.attempt is not None:
            actor.nested = actor.nested or Nested(actor.attempt)
            request = replace(request, attempt=actor.nested.next(what))
        call = self._calls.prepare(target, request, done, waits=command.waits)
        actor.expect(command.seq, call, size)
        call.start()

    def _start_timer(self, actor: Actor, seq: int, duration: int) -> None:
        pending = RunningTimer(self._table, actor, seq)
        actor.expect(seq, pending)
        pending.timer = self._table.bridge.timer(duration / SECOND, pending)

    def _reach(self, actor: Actor, command: Send | Control, destination: Destination) -> Answer:
        match destination:
            case Here() | Nowhere():
                return self._local.reach(actor, command, destination)
            case Elsewhere():
                return self._remote.reach(actor, command, destination)
            case FleetName(names, name):
                return Deferred(lambda: self._reach_holder(actor, command, names, name), name)
            case _:
                assert_never(destination)

    async def _reach_holder(self, actor: Actor, command: Send | Control, names: FleetNames, name: str) -> Value:
        """Send to whoever holds a name in the fleet, or control it. On the loop."""
        pid = await names.lookup(name)
        if pid is None:
            raise UnitFailed(unresolved(name))
        with self._table.lock:
            answer = self._reach(actor, command, self._destinations.of_pid(pid))
        if isinstance(answer, Failure):
            raise UnitFailed(answer)
        return await answer.work() if isinstance(answer, Deferred) else answer


def _size(command: Call | Spawn | Exec | Send | Ask) -> int:
    """About how many bytes it holds."""
    match command:
        case Spawn() | Exec():
            return size_of((command.args, command.options, command.context, command.messages))
        case Call():
            return size_of((command.args, command.options, command.context))
        case Send():
            return size_of(command.payloads)
        case Ask():
            return size_of(command.args)
        case _:
            assert_never(command)


def _call_request(actor: Actor, command: Call, size: int = 0) -> CallRequest:
    asker = actor.pid
    return CallRequest(command.target, command.args, command.options, command.context, asker, command.security, size)


def _spawn_request(actor: Actor, command: Spawn | Exec, size: int) -> SpawnRequest:
    return SpawnRequest(
        entry=command.entry,
        host=command.host,
        args=command.args,
        parent=actor.pid,
        name=command.name,
        options=command.options,
        context=command.context,
        messages=command.messages,
        security=command.security,
        size=size,
    )
