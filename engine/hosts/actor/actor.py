"""The record of one running unit. Idle, it is this object, a Lua state and nothing else: no task, no thread.

Every field is guarded by the lock of the `Table`; `unit` is used outside of the lock, but only
by the thread that runs the actor (`State.STEPPING`), or once it has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from engine.attempt import Attempt
from engine.contracts.host import Host
from engine.contracts.operations import Doing, ProcessInfo
from engine.hosts.actor.attempts import Nested
from engine.hosts.actor.outside import Outside
from engine.lua.marshal import size_of
from engine.program import Program
from engine.security.context import Security
from engine.steps import CancelRequested, Event, Exited, Identity, Limits, Message, SendNow, Step, Value, World

# Feeding a long mailbox in portions keeps one step, and with it the wait of all others, short: so many events, and
# bytes in records of the largest size.
PORTION = 64
PORTION_RECORDS = 2
# The bytes that wait for the unit, in records of the largest size: of messages at most, those that it was given and has
# not received included; and of results, from where on no further call of the unit begins.
QUEUED = 4


class SteppedUnit(Protocol):
    """What the actor host uses of `engine.lua.unit.Unit`."""

    def step(self, events: Sequence[Event] = ()) -> Step:
        """Feed events and run until everything is blocked."""
        ...

    def close(self) -> None:
        """Free the Lua state."""
        ...

    def memory(self) -> int:
        """Bytes of Lua memory in use; cheap."""
        ...

    send_now: SendNow | None
    """Set by the host before the first step."""


class UnitFactory(Protocol):
    """Makes units; `engine.lua.unit.Unit` itself, in all but tests."""

    def __call__(
        self, program: Program, identity: Identity, args: Sequence[Value], world: World, limits: Limits
    ) -> SteppedUnit:
        """A unit that has not begun."""
        ...


class State(Enum):
    """Where an actor stands: it is in the ready queue when QUEUED, and on a thread when STEPPING."""

    IDLE = "idle"
    QUEUED = "queued"
    STEPPING = "stepping"
    ENDED = "ended"


class Pending(Protocol):
    """A command in flight that ends with its actor: a timer, a call, an exec."""

    def abandon(self) -> None:
        """Stop it without an answer."""
        ...

    def pass_on_cancel(self, reason: str) -> None:
        """The actor itself was asked to stop."""
        ...


NOTHING_OUTSIDE: tuple[tuple[Doing, ...], int] = ((), 0)

OnEnd = Callable[[Exited], None]
OnProcessEnd = Callable[[ProcessInfo, Exited], None]
"""Hears how each process ended, with its last picture: from any thread, under the lock, so it must be quick."""


@dataclass(slots=True)
class Watch:
    """An actor's interest in one unit of another host. `weak`: nobody asked, EXIT comes all the same."""

    host: Host
    monitor: bool = False
    link: bool = False
    weak: bool = False


@dataclass(slots=True, eq=False)
class Actor:
    """One function call or process. `queue` holds what arrived and was not fed into `unit` yet."""

    pid: str
    kind: str
    host_id: str
    program: Program
    args: tuple[Value, ...]
    context: Mapping[str, Value]
    security: Security | None
    parent: str
    limits: Limits
    started: int
    family: str = ""
    attempt: Attempt | None = None
    nested: Nested | None = None
    """What its calls know of theirs; made with the first of a function that knows its own."""
    memory: int = 0
    unit: SteppedUnit | None = None
    state: State = State.IDLE
    queue: deque[Event] = field(default_factory=deque)
    queued_messages: int = 0
    queued_bytes: int = 0
    result_bytes: int = 0
    held_messages: int = 0
    held_bytes: int = 0
    fed_messages: int = 0
    held_calls: deque[Callable[[], bool]] = field(default_factory=deque)
    """Begin one more call or ask that waited until results were taken; False when nobody wants it any more."""
    monitors: set[str] = field(default_factory=set)
    monitoring: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    on_end: dict[str, OnEnd] = field(default_factory=dict)
    pending: dict[int, Pending] = field(default_factory=dict)
    pending_sizes: dict[int, int] = field(default_factory=dict)
    pending_bytes: int = 0
    watches: dict[str, Watch] = field(default_factory=dict)
    outside: Outside | None = None

    def __str__(self) -> str:
        return self.pid

    @property
    def ended(self) -> bool:
        """Whether it is over; nothing is delivered to it any more."""
        return self.state is State.ENDED

    @property
    def mailbox(self) -> int:
        """Messages that wait to be received, in the queue and inside the unit."""
        return self.queued_messages + self.held_messages

    def put(self, event: Event) -> None:
        """Append an event."""
        self.queue.append(event)
        self._count(event, 1)

    def has_room(self, message: Message) -> bool:
        """Whether what was not received yet leaves room for the bytes of one more; one alone has always room."""
        waiting = self.queued_bytes + self.held_bytes
        return not waiting or waiting + _size(message) <= QUEUED * self.limits.max_record

    def has_room_for_result(self, size: int) -> bool:
        """Whether one more result may wait: all together what the unit may hold; one alone has always room."""
        return not self.result_bytes or self.result_bytes + size <= self.limits.max_memory

    @property
    def behind(self) -> bool:
        """Whether so many results wait that no further call should begin before some are taken."""
        return self.result_bytes > QUEUED * self.limits.max_record

    def take(self) -> list[Event]:
        """Remove and return the next portion of the queue, oldest first."""
        queue, left = self.queue, PORTION_RECORDS * self.limits.max_record
        if len(queue) <= PORTION and self.queued_bytes + self.result_bytes <= left:
            events = list(queue)
            queue.clear()
            self._feed(self.queued_messages, self.queued_bytes)
            self.queued_messages = self.queued_bytes = self.result_bytes = 0
            return events
        messages, size = self.queued_messages, self.queued_bytes
        events = []
        while queue and len(events) < PORTION and (left >= _size(queue[0]) or not events):
            event = queue.popleft()
            left -= _size(event)
            self._count(event, -1)
            events.append(event)
        self._feed(messages - self.queued_messages, size - self.queued_bytes)
        return events

    def rest(self, unread: int) -> None:
        """A step has ended: so many of the messages that the unit was given are not received yet.

        What these hold is an estimate: as much each as all of which they are the rest.
        """
        given = self.held_messages + self.fed_messages
        self.held_bytes = self.held_bytes * min(unread, given) // given if given else 0
        self.held_messages, self.fed_messages = unread, 0

    def _feed(self, messages: int, size: int) -> None:
        self.fed_messages += messages
        self.held_bytes += size

    def forget_queue(self) -> None:
        """Nothing that waits is wanted any more."""
        self.queue.clear()
        self.queued_messages = self.queued_bytes = self.result_bytes = 0
        self.held_messages = self.held_bytes = self.fed_messages = 0

    def _count(self, event: Event, sign: int) -> None:
        match event:
            case Message():
                self.queued_messages += sign
                self.queued_bytes += sign * _size(event)
            case CancelRequested():
                self.queued_messages += sign
            case _:
                self.result_bytes += sign * event.size

    @property
    def waiting_bytes(self) -> int:
        """What waits for the unit, and what it waits for the answer to."""
        return self.queued_bytes + self.result_bytes + self.pending_bytes

    def expect(self, seq: int, pending: Pending, size: int = 0) -> None:
        """A command is in flight that holds so many bytes; 0 means few."""
        self.pending[seq] = pending
        if size:
            self.pending_sizes[seq] = size
            self.pending_bytes += size

    def expect_no_more(self, seq: int) -> Pending | None:
        """The command is not in flight any more, or was not."""
        self.pending_bytes -= self.pending_sizes.pop(seq, 0)
        return self.pending.pop(seq, None)

    def abandon_pending(self) -> None:
        """Stop whatever is in flight; nothing of it is answered, and what the unit held outside is closed."""
        self.pending_sizes.clear()
        self.pending_bytes = 0
        pending, self.pending = self.pending, {}
        for command in pending.values():
            command.abandon()
        outside, self.outside = self.outside, None
        if outside is not None:
            outside.end()
        held, self.held_calls = self.held_calls, deque()
        for begin in held:  # what is in flight when its unit ends is carried out, calls that were given up are not
            begin()


def _size(event: Event) -> int:
    match event:
        case Message(payloads=payloads):
            return size_of(payloads)
        case CancelRequested():
            return 0
        case _:
            return event.size


def info_of(actor: Actor, names: tuple[str, ...]) -> ProcessInfo:
    """A picture of the actor as it is now."""
    doing, operations = NOTHING_OUTSIDE if actor.outside is None else actor.outside.doing()
    return ProcessInfo(
        actor.pid,
        actor.program.entry_id,
        actor.kind,
        actor.host_id,
        actor.state.value,
        actor.started,
        actor.mailbox,
        actor.limits.max_queue,
        actor.parent,
        tuple(sorted(actor.links)) if actor.links else (),
        names,
        _watchers(actor),
        doing,
        operations,
    )


def _watchers(actor: Actor) -> tuple[str, ...]:
    """Services, local monitors, and units of other nodes, whose tokens are `<node> <pid>`."""
    tokens = [token.removeprefix("watch ") for token in actor.on_end if token.startswith("watch ")]
    services = [token for token in tokens if token.startswith("service ")]
    elsewhere = [token[token.index("{") :] for token in tokens if "{" in token]
    return (*services, *sorted({*actor.monitors, *elsewhere})) if tokens or actor.monitors else ()
