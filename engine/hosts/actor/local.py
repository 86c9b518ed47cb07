"""What commands do to actors of the same node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from engine.contracts.host import SpawnRequest
from engine.errors import Failure, invalid
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.answers import answer_of
from engine.hosts.actor.destinations import Here, Nowhere
from engine.hosts.actor.failures import PID_NOT_REGISTERED, unresolved
from engine.hosts.actor.relations import Relations
from engine.hosts.actor.table import Table
from engine.hosts.actor.targets import LocalTarget
from engine.steps import Control, Exec, Exited, Message, Send, Spawn, Value


@dataclass(slots=True, eq=False)
class LocalExec:
    """An exec in flight: the child is canceled together with whoever waits for it."""

    table: Table
    caller: str
    child: Actor
    token: str

    def abandon(self) -> None:
        """Look away and ask the child to stop."""
        self.child.on_end.pop(self.token, None)
        self.pass_on_cancel("caller ended")

    def pass_on_cancel(self, reason: str) -> None:
        """Ask the child to stop."""
        self.table.cancel(self.child.pid, reason, self.caller)


class LocalCommands:
    """Spawns and executes processes here, sends to them, controls them."""

    def __init__(self, table: Table, relations: Relations) -> None:
        self._table = table
        self._relations = relations

    def spawn(self, actor: Actor, target: LocalTarget, command: Spawn, request: SpawnRequest) -> Value | Failure:
        """Start a process, or find the live one of that name; its pid."""
        child = target.host.admit(target.program, request)
        if isinstance(child, Failure):
            return child
        if command.monitor:
            self._relations.monitor(actor, child)
        if command.link:
            self._relations.link(actor, child)
        return child.pid

    def execute(self, actor: Actor, target: LocalTarget, command: Exec, request: SpawnRequest) -> None:
        """Start a process and answer the command with its result."""
        seq = command.seq
        child = target.host.admit(target.program, request)
        if isinstance(child, Failure):
            self._table.reply(actor, seq, child)
            return
        pending = LocalExec(self._table, actor.pid, child, f"exec {actor.pid} {seq}")
        actor.expect(seq, pending, request.size)

        def ended(exited: Exited) -> None:
            self._table.answer(actor, pending, answer_of(seq, exited))

        child.on_end[pending.token] = ended

    def reach(self, actor: Actor, command: Send | Control, destination: Here | Nowhere) -> Value | Failure:
        """Send to a unit or control it; True."""
        if isinstance(destination, Nowhere) and destination.parsed is None:
            return unresolved(destination.dest)
        match command:
            case Send():
                return self._send(Message(command.topic, command.payloads, actor.pid), destination) or True
            case Control():
                return self._control(actor, command, destination) or True
            case _:
                assert_never(command)

    def _send(self, message: Message, destination: Here | Nowhere) -> Failure | None:
        match destination:
            case Here(receiver):
                return self._table.post(receiver, message)
            case Nowhere(pid):
                return self._table.send(pid, message)
            case _:
                assert_never(destination)

    def _control(self, actor: Actor, command: Control, destination: Here | Nowhere) -> Failure | None:
        target = destination.actor if isinstance(destination, Here) else None
        pid = destination.actor.pid if isinstance(destination, Here) else destination.dest
        match command.verb:
            case "cancel":
                return self._table.cancel(pid, command.reason, actor.pid)
            case "terminate":
                return self._table.terminate(pid)
            case verb:
                return self._relate(actor, verb, target)

    def _relate(self, actor: Actor, verb: str, peer: Actor | None) -> Failure | None:
        match verb, peer:
            case "monitor", Actor():
                return self._relations.monitor(actor, peer)
            case "link", Actor():
                self._relations.link(actor, peer)
            case "unmonitor", Actor():
                self._relations.unmonitor(actor, peer)
            case "unlink", Actor():
                self._relations.unlink(actor, peer)
            case "monitor" | "link", None:
                return PID_NOT_REGISTERED
            case "unmonitor" | "unlink", None:
                pass
            case _:
                return invalid(f"unknown verb '{verb}'")
        return None
