"""The table of a node's actors: who lives, what is delivered to them, and how they end.

The lock, in one place: `Table.lock` guards every `Actor`, the names, and all that this package keeps of actors
(subscriptions, pools, watches, lanes). It is reentrant and held for microseconds only: never while a unit is made,
stepped or closed, never while a catalog is read, and never across an await.

- Who takes or gives an `Actor` is called with the lock held: it stays true only as long as that. The methods here
  assert it, and so do lanes and timers; all that changes an actor comes by one of them.
- `send`, `cancel`, `terminate`, `snapshot` and `describe` take it themselves, as does every coroutine of this package
  and whatever says "from any thread".
- Callbacks of an actor (`on_end`, `Pending`, timers, the hooks of `at_end`) are called with the lock held.
- Two go without: `Execution`, which runs an actor outside of the lock, on one thread at a time, and what it calls
  there (`Commands.prepare`, `Commands.send_now`); these read what no other thread changes.

A message between two actors therefore never passes through the event loop: the thread that ran the sender queues the
receiver and runs it next. Only timers, other hosts and callers outside of the node's actors need the loop (`bridge`).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence

from engine.contracts.operations import ProcessInfo
from engine.errors import Failure
from engine.hosts.actor.actor import Actor, OnProcessEnd, Pending, State, info_of
from engine.hosts.actor.concurrency.lock import OwnedLock
from engine.hosts.actor.concurrency.loop import LoopBridge
from engine.hosts.actor.concurrency.scheduler import Scheduler
from engine.hosts.actor.failures import RESERVED_TOPIC, TERMINATED, mailbox_full, process_not_found, results_full
from engine.hosts.actor.names import Names
from engine.lua.records import refused
from engine.steps import CancelRequested, Event, Exited, LinkDown, Message, Rejected, Resolved, Value, World

EndHook = Callable[[Actor, Exited], None]

# A picture of 10,000 actors must not keep messages waiting: a portion takes about a millisecond.
SNAPSHOT_PORTION = 256


class Table:
    """All actors of one node. `on_process_end` hears how each process ended, function calls not included."""

    def __init__(self, world: World, *, threads: int = 2, on_process_end: OnProcessEnd | None = None) -> None:
        self.lock = OwnedLock()
        self.world = world
        self.bridge = LoopBridge(self.lock)
        self.scheduler: Scheduler[Actor] = Scheduler(self.lock, self.bridge.timer, threads=threads)
        self.names = Names()
        self.refused: Counter[str] = Counter()
        """Messages that full mailboxes did not take, by host id."""
        self._actors: dict[str, Actor] = {}
        self._asked_to_stop: deque[tuple[Pending, str]] = deque()
        """What a cancel is still to be passed on to; empty whenever the lock is free."""
        self._end_hooks: list[EndHook] = []
        self._on_process_end = on_process_end

    # --- who lives -----------------------------------------------------------------------------

    def live(self, pid: str) -> Actor | None:
        """The actor of that pid, unless it ended."""
        assert self.lock.held()
        return self._actors.get(pid)

    def find(self, dest: str) -> Actor | None:
        """The live actor of that pid or name of this node."""
        assert self.lock.held()
        return self._actors.get(dest) or self._actors.get(self.names.holder(dest) or "")

    def family_of(self, pid: str) -> str:
        """With whom a unit of that parent is served: all that one unit started takes turns as one."""
        actor = self.live(pid)
        return actor.family if actor is not None else pid

    def begin(self, actor: Actor) -> None:
        """Enter a new actor and queue its first time slice."""
        assert self.lock.held()
        self._actors[actor.pid] = actor
        self.make_ready(actor)

    def make_ready(self, actor: Actor) -> None:
        """Queue an actor for a time slice."""
        assert self.lock.held()
        actor.state = State.QUEUED
        self.scheduler.push(actor, actor.family, actor.program.entry_id)

    async def wait_until_empty(self, timeout: float) -> None:
        """Wait until no actor runs, `timeout` seconds at most."""
        deadline = time.monotonic() + timeout
        while self._actors and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    # --- what is delivered -----------------------------------------------------------------------

    def deliver(self, actor: Actor, event: Event) -> None:
        """Queue an event for a live actor; a result that finds no room comes as a failure."""
        assert self.lock.held()
        actor.put(event if isinstance(event, Message | CancelRequested) else _fitting(actor, event))
        if actor.state is State.IDLE:
            actor.state = State.QUEUED
            self.scheduler.push(actor, actor.family, actor.program.entry_id)

    def post(self, actor: Actor, message: Message) -> Failure | None:
        """Deliver a message to a live actor; the failure, when its mailbox is full."""
        if message.topic.startswith("@"):
            return RESERVED_TOPIC
        if actor.mailbox >= actor.limits.max_queue:
            self.refused[actor.host_id] += 1
            return mailbox_full(actor.pid, f"{actor.limits.max_queue} messages")
        if not actor.has_room(message):
            self.refused[actor.host_id] += 1
            return mailbox_full(actor.pid, f"{actor.queued_bytes + actor.held_bytes} bytes")
        self.deliver(actor, message)
        return None

    def reply(self, actor: Actor, seq: int, result: Value | Failure) -> None:
        """Answer a command at once; an actor that its own command ended hears nothing."""
        if not actor.ended:
            self.deliver(actor, Rejected(seq, result) if isinstance(result, Failure) else Resolved(seq, result))

    def answer(self, actor: Actor, pending: Pending, event: Resolved | Rejected) -> None:
        """Deliver the answer to a command in flight, unless it was abandoned."""
        assert self.lock.held()
        if actor.pending.get(event.seq) is pending:
            actor.expect_no_more(event.seq)
            self.deliver(actor, event)

    def send(self, pid: str, message: Message) -> Failure | None:
        """Deliver a message; the failure, when the receiver is gone or its mailbox is full."""
        if message.topic.startswith("@"):
            return RESERVED_TOPIC
        with self.lock:
            actor = self._actors.get(pid)
            return process_not_found(pid) if actor is None else self.post(actor, message)

    def cancel(self, pid: str, reason: str, sender: str) -> Failure | None:
        """Deliver CANCEL, also to the processes that the actor executes (docs/lua.md#process-cancel)."""
        with self.lock:
            actor = self._actors.get(pid)
            if actor is None:
                return process_not_found(pid)
            self.deliver(actor, CancelRequested(sender, reason, self.world.now()))
            self._pass_on_cancel(actor, reason)
            return None

    def _pass_on_cancel(self, actor: Actor, reason: str) -> None:
        """To all that it waits for; one after the other, since calls that wait for calls are chains of any length."""
        is_first = not self._asked_to_stop
        self._asked_to_stop.extend((pending, reason) for pending in actor.pending.values())
        if not is_first:
            return
        try:
            while self._asked_to_stop:
                pending, why = self._asked_to_stop[0]
                pending.pass_on_cancel(why)
                self._asked_to_stop.popleft()
        finally:
            self._asked_to_stop.clear()

    # --- how they end ----------------------------------------------------------------------------

    def at_end(self, hook: EndHook) -> None:
        """Call `hook` for each actor that ends, once it left the table, before its own callbacks; in order."""
        self._end_hooks.append(hook)

    def terminate(self, pid: str) -> Failure | None:
        """End an actor now; its current step, if any, runs out unheard."""
        with self.lock:
            actor = self._actors.get(pid)
            if actor is None:
                return process_not_found(pid)
            self.end(actor, None, TERMINATED)
            return None

    def end(self, actor: Actor, value: Value, failure: Failure | None, size: int = 0) -> None:
        """Take the actor out and report its end to everybody, exactly once. `size` is that of value or failure."""
        assert self.lock.held()
        stepping = actor.state is State.STEPPING
        queued = actor.state is State.QUEUED
        exited = Exited(actor.pid, self.world.now(), value, failure, size)
        if self._on_process_end is not None and actor.kind == "process":
            self._on_process_end(info_of(actor, self.names.of(actor.pid)), exited)
        actor.state = State.ENDED
        del self._actors[actor.pid]
        self.names.drop(actor.pid)
        self._report_end(actor, exited)
        actor.forget_queue()
        if not stepping:
            actor.args = ()  # it may wait for its turn to be closed
        if not (stepping or queued):
            # A thread closes the unit, which takes a while but not for ever: it waits for no program.
            self.scheduler.push(actor, actor.family)

    def _report_end(self, actor: Actor, exited: Exited) -> None:
        actor.abandon_pending()
        for hook in self._end_hooks:
            hook(actor, exited)
        callbacks, actor.on_end = actor.on_end, {}
        for callback in callbacks.values():
            callback(exited)

    # --- pictures --------------------------------------------------------------------------------

    def snapshot(self) -> list[ProcessInfo]:
        """All actors, oldest first, each as it is when it is looked at: the lock is held for a portion at a time."""
        with self.lock:
            actors = list(self._actors.values())
        found: list[ProcessInfo] = []
        for portion in _portions(actors):
            with self.lock:
                found += [info_of(actor, self.names.of(actor.pid)) for actor in portion if not actor.ended]
        return found

    def describe(self, pid: str) -> ProcessInfo | None:
        """One actor as it is now, None when it is gone."""
        with self.lock:
            actor = self._actors.get(pid)
            return None if actor is None else info_of(actor, self.names.of(pid))


def _fitting(actor: Actor, event: Resolved | Rejected | Exited | LinkDown) -> Event:
    if not event.size or actor.has_room_for_result(event.size):
        return event
    return refused(event, results_full(actor.limits.max_memory))


def _portions(actors: Sequence[Actor]) -> Iterator[Sequence[Actor]]:
    for start in range(0, len(actors), SNAPSHOT_PORTION):
        yield actors[start : start + SNAPSHOT_PORTION]
