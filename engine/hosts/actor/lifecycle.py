"""Spawning, executing and controlling actors of the same node. Lock held throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.contracts.host import SpawnRequest
from engine.errors import Failure, invalid
from engine.hosts.actor import relations
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.failures import PID_NOT_REGISTERED
from engine.hosts.actor.targets import LocalTarget
from engine.steps import Control, Exited, Rejected, Resolved, Spawn, Value

if TYPE_CHECKING:
    from engine.hosts.actor.system import ActorSystem


@dataclass(slots=True, eq=False)
class LocalExec:
    """An exec in flight: the child is canceled together with whoever waits for it."""

    system: ActorSystem
    caller: str
    child: Actor
    token: str

    def abandon(self) -> None:
        """Look away and ask the child to stop."""
        self.child.on_end.pop(self.token, None)
        self.pass_on_cancel("caller ended")

    def pass_on_cancel(self, reason: str) -> None:
        """Ask the child to stop."""
        self.system.cancel(self.child.pid, reason, self.caller)


def spawn(actor: Actor, target: LocalTarget, command: Spawn, request: SpawnRequest) -> Value | Failure:
    """Start a process, or find the live one of that name; its pid."""
    child = target.host.admit(target.program, request)
    if isinstance(child, Failure):
        return child
    if command.monitor:
        relations.monitor(actor, child)
    if command.link:
        relations.link(actor, child)
    return child.pid


def execute(system: ActorSystem, actor: Actor, target: LocalTarget, seq: int, request: SpawnRequest) -> None:
    """Start a process and answer `seq` with its result."""
    child = target.host.admit(target.program, request)
    if isinstance(child, Failure):
        system.deliver(actor, Rejected(seq, child))
        return
    pending = LocalExec(system, actor.pid, child, f"exec {actor.pid} {seq}")
    actor.pending[seq] = pending

    def ended(exited: Exited) -> None:
        answer = Resolved(seq, exited.value) if exited.failure is None else Rejected(seq, exited.failure)
        system.answer(actor, pending, answer)

    child.on_end[pending.token] = ended


def control(system: ActorSystem, actor: Actor, command: Control, pid: str) -> Value | Failure:
    """Carry out a lifecycle verb on a pid of this node; True."""
    match command.verb:
        case "cancel":
            return system.cancel(pid, command.reason, actor.pid) or True
        case "terminate":
            return system.terminate(pid) or True
        case "monitor" | "unmonitor" | "link" | "unlink":
            return _relate(actor, command.verb, system.live(pid)) or True
        case verb:
            return invalid(f"unknown verb '{verb}'")


def _relate(actor: Actor, verb: str, peer: Actor | None) -> Failure | None:
    match verb, peer:
        case "monitor", Actor():
            return relations.monitor(actor, peer)
        case "link", Actor():
            relations.link(actor, peer)
        case "monitor" | "link", None:
            return PID_NOT_REGISTERED
        case "unmonitor", Actor():
            relations.unmonitor(actor, peer)
        case "unlink", Actor():
            relations.unlink(actor, peer)
    return None
