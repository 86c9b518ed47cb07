"""The shared machinery of a node's actor hosts: actors, their turns, their deliveries and their ends.

One lock guards all of it and is held for microseconds only: never while a unit is made, stepped or
closed. A message between two actors therefore never passes through the event loop: the thread that
ran the sender queues the receiver and runs it next. Only timers, other hosts and callers outside
of the node's actors need the loop; they are reached through `LoopBridge`.

Methods marked "Lock held" are for this package; everything else may be called from any thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from engine.contracts.catalog import Catalog
from engine.contracts.fleet import FleetNames
from engine.contracts.host import CallRequest, Host
from engine.contracts.operations import ProcessInfo
from engine.errors import Failure, UnitFailed
from engine.hosts.actor.actor import Actor, OnEnd, OnProcessEnd, Pending, State, SteppedUnit, UnitFactory, info_of
from engine.hosts.actor.bus import TOPIC, Bus
from engine.hosts.actor.commands import Commands, Plan
from engine.hosts.actor.contexts import context_of
from engine.hosts.actor.failures import (
    PID_NOT_REGISTERED,
    RESERVED_TOPIC,
    TERMINATED,
    mailbox_full,
    process_not_found,
    unexpected,
    unresolved,
)
from engine.hosts.actor.loop import LoopBridge
from engine.hosts.actor.names import Names
from engine.hosts.actor.pools import Pools
from engine.hosts.actor.relations import abandon_pending, farewell
from engine.hosts.actor.scheduler import Scheduler
from engine.hosts.actor.targets import FUNCTION, Targets
from engine.hosts.actor.world import SystemWorld
from engine.program import Program
from engine.steps import (
    CancelRequested,
    Event,
    Exited,
    Failed,
    Identity,
    Message,
    Rejected,
    Resolved,
    Returned,
    Step,
    Upgraded,
    Value,
    Waiting,
    World,
)

logger = logging.getLogger(__name__)

# A picture of 10,000 actors must not keep messages waiting: a portion takes about a millisecond.
SNAPSHOT_PORTION = 256


class FunctionStarter(Protocol):
    """What calls need of the function host."""

    def begin(self, program: Program, request: CallRequest, ended: OnEnd) -> str:
        """Start a function call; its pid. Lock held."""
        ...


class ActorSystem:
    """All actors of one node. `foreign(pid)` finds the host of a unit that lives elsewhere."""

    def __init__(
        self,
        node_id: str,
        catalog: Catalog,
        unit_factory: UnitFactory,
        *,
        world: World | None = None,
        threads: int = 2,
        strict: bool = False,
    ) -> None:
        self.node_id = node_id
        self.lock = threading.RLock()
        self.world = world or SystemWorld()
        self.bridge = LoopBridge(self.lock)
        self.names = Names()
        self.actors: dict[str, Actor] = {}
        self.refused_messages: Counter[str] = Counter()
        self.pools = Pools()
        self.targets = Targets(catalog)
        self.foreign: Callable[[str], Host | None] = lambda _pid: None
        self.fleet_names: FleetNames | None = None
        self.on_process_end: OnProcessEnd | None = None
        self.functions: FunctionStarter
        self.commands = Commands(self)
        self.bus = Bus(self)
        self.commands.services["events.send"] = self.bus.send
        self._unit_factory = unit_factory
        self._strict = strict
        self._scheduler = Scheduler(self.lock, self._turn, self.bridge.timer, threads=threads)

    @property
    def threads(self) -> int:
        """How many threads step units now."""
        return self._scheduler.threads

    def start(self) -> None:
        """Begin to run actors; on the loop."""
        self.bridge.start()
        self._scheduler.start()

    async def wait_until_empty(self, timeout: float) -> None:
        """Wait until no actor runs, `timeout` seconds at most."""
        deadline = time.monotonic() + timeout
        while self.actors and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop the threads after what is queued, then let go of the loop; a step that hangs is left behind."""
        await self.commands.outbound.lanes.settled()
        self._scheduler.close()
        await asyncio.to_thread(self._scheduler.join, 1.0)
        self.bridge.stop()

    def snapshot(self) -> list[ProcessInfo]:
        """All actors, oldest first, each as it is when it is looked at: the lock is held for a portion at a time."""
        with self.lock:
            actors = list(self.actors.values())
        found: list[ProcessInfo] = []
        for portion in _portions(actors):
            with self.lock:
                found += [info_of(actor, self.names.of(actor.pid)) for actor in portion if not actor.ended]
        return found

    def describe(self, pid: str) -> ProcessInfo | None:
        """One actor as it is now, None when it is gone."""
        with self.lock:
            actor = self.actors.get(pid)
            return None if actor is None else info_of(actor, self.names.of(pid))

    def tell(self, dest: str, topic: str, payloads: tuple[Value, ...], sender: str) -> None:
        """Send to an actor by pid or name; raises UnitFailed."""
        with self.lock:
            pid = self.commands.resolve(dest)
            failure = unresolved(dest) if pid is None else self.send(pid, Message(topic, payloads, sender))
        if failure is not None:
            raise UnitFailed(failure)

    def live(self, pid: str) -> Actor | None:
        """The actor of that pid, unless it ended. Lock held."""
        return self.actors.get(pid)

    def begin(self, actor: Actor) -> None:
        """Register a new actor and queue its first turn. Lock held."""
        self.actors[actor.pid] = actor
        self._make_ready(actor)

    def deliver(self, actor: Actor, event: Event) -> None:
        """Queue an event for a live actor. Lock held."""
        actor.put(event)
        if actor.state is State.IDLE:
            self._make_ready(actor)

    def answer(self, actor: Actor, pending: Pending, event: Resolved | Rejected) -> None:
        """Deliver the answer to a command in flight, unless it was abandoned. Lock held."""
        if actor.pending.get(event.seq) is pending:
            del actor.pending[event.seq]
            self.deliver(actor, event)

    def functions_above(self, pid: str) -> frozenset[str]:
        """The functions among the live ancestors of `pid`, itself included. Lock held."""
        found = set()
        actor = self.actors.get(pid)
        while actor is not None:
            if actor.program.kind == FUNCTION:
                found.add(actor.program.entry_id)
            actor = self.actors.get(actor.parent)
        return frozenset(found)

    def send(self, pid: str, message: Message) -> Failure | None:
        """Deliver a message; the failure, when the receiver is gone or its mailbox is full."""
        if message.topic.startswith("@"):
            return RESERVED_TOPIC
        with self.lock:
            actor = self.actors.get(pid)
            if actor is None:
                return process_not_found(pid)
            if actor.mailbox >= actor.limits.max_queue:
                self.refused_messages[actor.host_id] += 1
                return mailbox_full(pid, actor.limits.max_queue)
            self.deliver(actor, message)
            return None

    def cancel(self, pid: str, reason: str, sender: str) -> Failure | None:
        """Deliver CANCEL, also to the processes that the actor executes (docs/lua.md#process-cancel)."""
        with self.lock:
            actor = self.actors.get(pid)
            if actor is None:
                return process_not_found(pid)
            self.deliver(actor, CancelRequested(sender, reason, self.world.now()))
            for pending in list(actor.pending.values()):
                pending.pass_on_cancel(reason)
            return None

    def terminate(self, pid: str) -> Failure | None:
        """End an actor now; its current step, if any, runs out unheard."""
        with self.lock:
            actor = self.actors.get(pid)
            if actor is None:
                return process_not_found(pid)
            self.end(actor, None, TERMINATED)
            return None

    def end(self, actor: Actor, value: Value, failure: Failure | None) -> None:
        """Take the actor out and tell everybody, exactly once. Lock held."""
        stepping = actor.state is State.STEPPING
        queued = actor.state is State.QUEUED
        exited = Exited(actor.pid, self.world.now(), value, failure)
        if self.on_process_end is not None and actor.kind == "process":
            self.on_process_end(info_of(actor, self.names.of(actor.pid)), exited)
        actor.state = State.ENDED
        del self.actors[actor.pid]
        self.names.drop(actor.pid)
        farewell(self, actor, exited)
        actor.queue.clear()
        if not (stepping or queued):
            self._scheduler.push(actor)  # a thread closes the unit: freeing a Lua state takes a while

    async def relate(self, pid: str, peer: str, verb: str) -> None:
        """Let an actor of this node link or unlink one of another, which has done its own part."""
        with self.lock:
            actor, host = self.actors.get(pid), self.foreign(peer)
        if actor is not None and host is not None:
            await self.commands.outbound.watches.change(actor, host, peer, verb, told=True)
        elif verb == "link":
            raise UnitFailed(PID_NOT_REGISTERED)

    def _make_ready(self, actor: Actor) -> None:
        actor.state = State.QUEUED
        self._scheduler.push(actor)

    def _turn(self, actor: Actor) -> None:
        events = self._enter_turn(actor)
        if events is not None:
            step = self._step(actor, events)
            unit = actor.unit
            plan = self.commands.prepare(actor, step)
            with self.lock:
                self._settle(actor, step, plan)
            if unit is not actor.unit:
                self._close(unit)
        if actor.ended:
            self._close(actor.unit)
            actor.unit = None

    def _enter_turn(self, actor: Actor) -> list[Event] | None:
        with self.lock:
            if actor.ended:
                return None
            actor.state = State.STEPPING
            return actor.take()

    def _step(self, actor: Actor, events: list[Event]) -> Step:
        try:
            if actor.unit is None:
                actor.unit = self._unit_factory(
                    actor.program, self._identity(actor), actor.args, self.world, actor.limits
                )
                actor.unit.send_now = partial(self.commands.send_now, actor)
                actor.args = ()
            return actor.unit.step(events)
        except UnitFailed as error:  # no context, no weaker one
            return Step((), Failed(error.failure))
        except Exception as error:
            logger.exception("the unit %s of %s broke", actor.pid, actor.program.entry_id)
            return Step((), Failed(unexpected(error)))

    def _identity(self, actor: Actor) -> Identity:
        """Who the actor is; policies are those of the current registry version. Raises UnitFailed."""
        security = context_of(actor.program.entry_id, actor.security, self.targets.catalog)
        return Identity(actor.pid, actor.kind, actor.context, security, self._strict)

    def _settle(self, actor: Actor, step: Step, plan: Plan) -> None:
        """Carry out the commands of a step, then go by its status. Lock held."""
        if actor.ended:
            return
        try:
            self.commands.carry_out(actor, step, plan)
        except Exception as error:
            logger.exception("the commands of %s of %s broke", actor.pid, actor.program.entry_id)
            step = Step((), Failed(unexpected(error)))
        if actor.ended:  # by a command of its own
            return
        match step.status:
            case Waiting() as waiting:
                self._rest(actor, waiting)
            case Returned(value):
                self.end(actor, value, None)
            case Failed(failure):
                self.end(actor, None, failure)
            case Upgraded() as upgraded:
                self._upgrade(actor, upgraded, plan)

    def _rest(self, actor: Actor, waiting: Waiting) -> None:
        actor.held_messages = waiting.queued
        if actor.queue:
            self._make_ready(actor)
        else:
            actor.state = State.IDLE

    def _upgrade(self, actor: Actor, upgraded: Upgraded, plan: Plan) -> None:
        """Put a new unit of the wanted program in the place of the old one: same pid, mailbox and relations."""
        if isinstance(plan.upgrade, Failure):
            self.end(actor, None, plan.upgrade)
            return
        abandon_pending(actor)
        actor.program = plan.upgrade or actor.program
        actor.args = upgraded.args
        actor.unit = None
        left = [event for event in (*upgraded.messages, *actor.queue) if not _was_for_the_old_body(event)]
        actor.queue.clear()
        actor.queued_messages = actor.held_messages = 0
        for event in left:
            actor.put(event)
        self._make_ready(actor)

    def _close(self, unit: SteppedUnit | None) -> None:
        try:
            if unit is not None:
                unit.close()
        except Exception:
            logger.exception("a unit could not be closed")


def _portions(actors: Sequence[Actor]) -> Iterator[Sequence[Actor]]:
    for start in range(0, len(actors), SNAPSHOT_PORTION):
        yield actors[start : start + SNAPSHOT_PORTION]


def _was_for_the_old_body(event: Event) -> bool:
    """Answers to its commands, and events of its subscriptions."""
    return isinstance(event, Resolved | Rejected) or (isinstance(event, Message) and event.topic == TOPIC)
