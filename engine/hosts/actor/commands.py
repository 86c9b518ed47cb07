"""What each command of a step does on an actor host (docs/architecture.md#the-seam).

`prepare` runs outside of the lock and does what may take a while: looking up entries, writing log
lines. `carry_out` runs under the lock and does the commands in their order of issue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from engine.contracts.ask import Service
from engine.contracts.host import CallRequest, SpawnRequest
from engine.durations import SECOND
from engine.errors import Failure
from engine.hosts.actor import bus, lifecycle, naming
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.calls import FunctionCall
from engine.hosts.actor.failures import unknown_service, unresolved
from engine.hosts.actor.loop import LoopBridge, Timer
from engine.hosts.actor.outbound import Outbound
from engine.hosts.actor.targets import CallTarget, LocalTarget, Looked, RemoteTarget, attempt
from engine.hosts.logs import write_log
from engine.pids import Pid
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

if TYPE_CHECKING:
    from engine.hosts.actor.system import ActorSystem


@dataclass(frozen=True, slots=True)
class Plan:
    """What was looked up for a step: targets by seq, and the program to upgrade to."""

    targets: Mapping[int, Looked] = field(default_factory=dict)
    upgrade: Program | Failure | None = None


NOTHING = Plan()
OWN_SERVICES = {**naming.SERVICES, **bus.SERVICES}


@dataclass(slots=True, eq=False)
class RunningTimer:
    """A timer in flight."""

    bridge: LoopBridge
    timer: Timer | None = None

    def abandon(self) -> None:
        """Stop it."""
        if self.timer is not None:
            self.bridge.stop_timer(self.timer)

    def pass_on_cancel(self, reason: str) -> None:
        """Nothing: timers go on when their unit is asked to stop."""


class Commands:
    """Carries out commands. `services` are the host's own answers to `Ask`, by name."""

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self.outbound = Outbound(system)
        self.services: dict[str, Service] = {}

    # --- before the lock ---------------------------------------------------------------------

    def prepare(self, actor: Actor, step: Step) -> Plan:
        """Look up what the commands need and write log lines. Lock not held."""
        targets: dict[int, Looked] = {}
        for command in step.commands:
            match command:
                case Log():
                    write_log(command, actor.pid, actor.program.entry_id)
                case Call():
                    targets[command.seq] = attempt(self._system.targets.call, _call_request(actor, command))
                case Spawn() | Exec():
                    targets[command.seq] = attempt(self._system.targets.spawn, command.entry, command.host)
                case _:
                    pass
        if isinstance(step.status, Upgraded):
            return Plan(targets, attempt(self._system.targets.upgrade, actor.program, step.status.entry))
        return Plan(targets) if targets else NOTHING

    # --- under the lock ----------------------------------------------------------------------

    def carry_out(self, actor: Actor, step: Step, plan: Plan) -> None:
        """Do all commands of a step, unless one of them ends the actor. Lock held."""
        for command in step.commands:
            if actor.ended:
                return
            self._do(actor, command, plan)

    def _do(self, actor: Actor, command: Command, plan: Plan) -> None:
        match command:
            case Send():
                self._send(actor, command)
            case StartTimer() | CancelTimer() | CancelCall():
                self._do_unanswered(actor, command)
            case Call() | Spawn() | Exec():
                self._start(actor, command, plan.targets[command.seq])
            case Control():
                self._control(actor, command)
            case Ask():
                self._ask(actor, command)
            case Log():
                pass
            case _:
                assert_never(command)

    def _do_unanswered(self, actor: Actor, command: StartTimer | CancelTimer | CancelCall) -> None:
        match command:
            case StartTimer(seq, duration):
                self._start_timer(actor, seq, duration)
            case CancelTimer(seq) | CancelCall(seq):
                pending = actor.pending.pop(seq, None)
                if pending is not None:
                    pending.abandon()
            case _:
                assert_never(command)

    def _start(self, actor: Actor, command: Call | Spawn | Exec, target: Looked) -> None:
        match target:
            case Failure():
                self._reject(actor, command.seq, target)
            case CallTarget() if isinstance(command, Call):
                self._call(actor, command, target)
            case LocalTarget() | RemoteTarget() if not isinstance(command, Call):
                self._launch(actor, command, target, _spawn_request(actor, command))
            case _:
                raise TypeError(f"{command} does not go with {target}")

    def _launch(
        self, actor: Actor, command: Spawn | Exec, target: LocalTarget | RemoteTarget, request: SpawnRequest
    ) -> None:
        match command, target:
            case Spawn(), RemoteTarget(host):
                self.outbound.spawn(actor, host, command, request)
            case Exec(), RemoteTarget(host):
                self.outbound.execute(actor, host, command.seq, request)
            case Spawn(), LocalTarget():
                self._answer(actor, command.seq, lifecycle.spawn(actor, target, command, request))
            case Exec(), LocalTarget():
                lifecycle.execute(self._system, actor, target, command.seq, request)

    def _call(self, actor: Actor, command: Call, target: CallTarget) -> None:
        def done(value: Value, failure: Failure | None) -> None:
            event = Resolved(command.seq, value) if failure is None else Rejected(command.seq, failure)
            self._system.answer(actor, call, event)

        call = FunctionCall(self._system, target, _call_request(actor, command), done)
        actor.pending[command.seq] = call
        call.start()

    def _start_timer(self, actor: Actor, seq: int, duration: int) -> None:
        pending = RunningTimer(self._system.bridge)
        actor.pending[seq] = pending
        fire = lambda: self._system.answer(actor, pending, Resolved(seq))  # noqa: E731
        pending.timer = self._system.bridge.timer(duration / SECOND, fire)

    def _send(self, actor: Actor, command: Send) -> None:
        pid = self.resolve(command.dest)
        if pid is None:
            self._by_fleet_name(actor, command)
        elif pid not in self._system.actors and (host := self._system.foreign(pid)):
            self.outbound.send(actor, host, pid, command)
        else:
            failure = self._system.send(pid, Message(command.topic, command.payloads, actor.pid))
            self._answer(actor, command.seq, failure or True)

    def send_now(self, actor: Actor, dest: str, topic: str, payloads: Sequence[Value]) -> Failure | bool:
        """Deliver to an actor of this node within the sender's step; False when it takes a command. Lock not held."""
        system = self._system
        with system.lock:
            pid = dest if dest in system.actors else system.names.holder(dest)
            if actor.ended or pid not in system.actors:
                return False
            return system.send(pid, Message(topic, payloads, actor.pid)) or True

    def _control(self, actor: Actor, command: Control) -> None:
        pid = self.resolve(command.dest)
        if pid is None:
            self._by_fleet_name(actor, command)
        elif pid not in self._system.actors and (host := self._system.foreign(pid)):
            self.outbound.control(actor, host, pid, command)
        else:
            self._answer(actor, command.seq, lifecycle.control(self._system, actor, command, pid))

    def _by_fleet_name(self, actor: Actor, command: Send | Control) -> None:
        names = self._system.fleet_names
        if names is None:
            self._reject(actor, command.seq, unresolved(command.dest))
        else:
            self.outbound.by_name(actor, names, command)

    def _ask(self, actor: Actor, command: Ask) -> None:
        if own := OWN_SERVICES.get(command.service):
            answer = own(self._system, actor, command.args)
            if isinstance(answer, naming.Later):
                self.outbound.ask(actor, command.seq, f"ask {command.seq}", answer.work)
            else:
                self._answer(actor, command.seq, answer)
        elif service := self.services.get(command.service):
            self.outbound.ask(actor, command.seq, f"ask {command.seq}", lambda: service(actor.pid, command.args))
        else:
            self._reject(actor, command.seq, unknown_service(command.service))

    def resolve(self, dest: str) -> str | None:
        """The pid that `dest` is or names, or None. Lock held."""
        if dest in self._system.actors:
            return dest
        holder = self._system.names.holder(dest)
        if holder is not None:
            return holder
        return dest if Pid.parse(dest) else None

    def _answer(self, actor: Actor, seq: int, result: Value | Failure) -> None:
        """Answer at once. An actor that its own command ended hears nothing."""
        if actor.ended:
            return
        event = Rejected(seq, result) if isinstance(result, Failure) else Resolved(seq, result)
        self._system.deliver(actor, event)

    def _reject(self, actor: Actor, seq: int, failure: Failure) -> None:
        self._system.deliver(actor, Rejected(seq, failure))


def _call_request(actor: Actor, command: Call) -> CallRequest:
    return CallRequest(command.target, command.args, command.options, command.context, actor.pid, command.security)


def _spawn_request(actor: Actor, command: Spawn | Exec) -> SpawnRequest:
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
    )
