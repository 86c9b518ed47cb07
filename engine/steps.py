"""The step contract: events go into a unit, commands come out; nothing else crosses (docs/architecture.md#the-seam).

Values that cross are plain Python data, called `Value` here: None, bool, int (64 bit), float, str,
bytes (a Lua string that is not UTF-8), list, dict (keys str, int, float or bool) and `Failure`.
An empty Lua table is an empty list. Everything else of Lua's becomes None; a cycle is refused.

Times are integer nanoseconds since the epoch, durations integer nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from engine.attempt import Attempt
from engine.errors import Failure
from engine.program import OwnLimits
from engine.security.context import Security

Value = Any

KERNEL = 2
"""The version of the kernel that new units run; a workflow keeps the one that it began with (1: before versions)."""


# --- events: what a host feeds into a unit ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resolved:
    """The command `seq` succeeded with `value` (a timer's is None).

    `size` here and below: about how many bytes it holds, where a host counts what waits for a unit.
    """

    seq: int
    value: Value = None
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The command `seq` failed."""

    seq: int
    failure: Failure
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message or signal. `sender` is a pid or "" when there is none."""

    topic: str
    payloads: Sequence[Value] = ()
    sender: str = ""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody asked the unit to stop; the unit decides (CANCEL event)."""

    sender: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Exited:
    """A watched unit ended (EXIT event). `failure` None means that it returned `value`."""

    pid: str
    at: int
    value: Value = None
    failure: Failure | None = None
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class LinkDown:
    """A linked unit ended with a failure; the kernel decides between event and death by trap_links."""

    pid: str
    at: int
    failure: Failure | None = None
    value: Value = None
    size: int = field(default=0, compare=False)


Event = Resolved | Rejected | Message | CancelRequested | Exited | LinkDown


# --- commands: what a unit asks of its host --------------------------------------------------
# Every command with a `seq` of its own is answered by exactly one Resolved or Rejected, unless
# its docstring says otherwise. `seq` counts from 1 in each unit, in the order of issue.


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function (or process, by its default host) and wait for its value.

    `options` are the caller's, unmerged: `meta.options` of the target are the host's business.
    `context` and `security` (by reference) are the whole of what the callee gets. `waits`: a task is blocked until
    the answer, and a caller that is asked to stop passes that on; a future's call is the caller's own business.
    """

    seq: int
    target: str
    args: tuple[Value, ...] = ()
    options: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    security: Security | None = None
    waits: bool = field(default=False, compare=False)  # two calls of the same are the same call


@dataclass(frozen=True, slots=True)
class CancelCall:
    """Ask the callee of the call `seq` to stop; the call is not answered any more. Not answered itself."""

    seq: int


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Resolve after `duration` ns (> 0)."""

    seq: int
    duration: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """The timer `seq` is not wanted any more. Not answered itself."""

    seq: int


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a process or workflow; resolves with its pid.

    `name` registers it (explicit id of a workflow); `messages` are delivered before any other.
    """

    seq: int
    entry: str
    host: str
    args: tuple[Value, ...] = ()
    monitor: bool = False
    link: bool = False
    name: str = ""
    options: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    messages: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    security: Security | None = None


@dataclass(frozen=True, slots=True)
class Exec:
    """Start a process or (child) workflow and wait; resolves with its value, rejects with its failure."""

    seq: int
    entry: str
    host: str
    args: tuple[Value, ...] = ()
    name: str = ""
    options: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    messages: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    security: Security | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to `dest`, a pid or registered name; resolves with True, rejects NotFound."""

    seq: int
    dest: str
    topic: str
    payloads: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """Lifecycle control of another unit: `verb` is cancel, terminate, monitor, unmonitor, link or unlink.

    `dest` is a pid or registered name. Resolves with True.
    """

    seq: int
    verb: str
    dest: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the host something by name (`names.register`, `names.lookup`, ...); resolves with its answer.

    An unknown name is rejected as Invalid.
    """

    seq: int
    name: str
    args: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """One log line; `level` is debug, info, warn or error. Not answered. Muted by hosts that replay."""

    level: str
    message: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    logger: str = ""


Command = Call | CancelCall | StartTimer | CancelTimer | Spawn | Exec | Send | Control | Ask | Log


SendNow = Callable[[str, str, Sequence[Value]], "Failure | bool"]
"""A host's way to send within a step: (destination, topic, payloads) -> True when it is delivered, False when the unit
shall issue a `Send`, or why it can't be delivered. What an actor sends to one unit must stay in order."""


# --- status: where a unit stands after a step ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a unit waits for.

    kind     name                      seq
    -------  ------------------------  ------------------------------------------
    call     target id                 the command's
    exec     entry id                  the command's
    spawn    entry id                  the command's
    send     destination               the command's
    ask      what is asked             the command's
    control  destination               the command's
    timer    ""                        the command's; `deadline` is set
    inbox    ""                        messages taken from the inbox so far
    topic    topic listened to         messages taken from that channel so far
    events   ""                        events taken so far

    `number` is the channel's (inbox, topic, events; 0 for all else): they count from 1 as they are opened. `joined` is
    the smallest number among the inbox and the topics of the select that the channel's first receiver waits in, its own
    for a plain receive: what one select waits for together has it in common, and a loop that selects again keeps it.
    It is 0 where no channel is, and for units of kernel 1. `ask` is what the run itself says that it asks there.
    """

    kind: str
    name: str = ""
    seq: int = 0
    deadline: int | None = None
    number: int = 0
    joined: int = 0
    ask: Mapping[str, Value] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Waits:
    """What a unit waits for: what is listed may be less than what there is, `totals` counts all of it by kind."""

    listed: tuple[Wait, ...] = ()
    totals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The unit is blocked; feed it events. `queued` counts messages that it has not taken yet."""

    queued: int = 0


@dataclass(frozen=True, slots=True)
class Returned:
    """The unit ended well. Commands of the same step are still to be carried out."""

    value: Value = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The unit ended with a failure."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The unit wants to go on as `entry` ("" = its own) with `args`; `messages` were not consumed yet."""

    entry: str
    args: tuple[Value, ...] = ()
    messages: tuple[Message, ...] = ()


Status = Waiting | Returned | Failed | Upgraded


@dataclass(frozen=True, slots=True)
class Step:
    """What one step produced: commands in order of issue, and where the unit stands now."""

    commands: tuple[Command, ...]
    status: Status


# --- what a unit knows of itself --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a unit is. `kind` is function, process or workflow; `context` is what `ctx` reads.

    `security` holds policies with their definitions; `strict` forbids what is checked to units that lack an actor
    or a scope. `kernel` is the version of the kernel that it runs, 1 to `KERNEL`. `attempt` is set for function calls
    that know theirs.
    """

    pid: str
    kind: str
    context: Mapping[str, Value] = field(default_factory=dict)
    security: Security | None = None
    strict: bool = False
    kernel: int = KERNEL
    attempt: Attempt | None = None


UNBOUNDED = 1 << 62


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one unit: bytes of Lua memory, VM instructions per step, queued messages, commands in flight, bytes of
    a record.

    A record is what crosses the seam at once: a command, a result, a request for a service. All commands of a step may
    have twice that.

    Endless recursion needs about 60 MB before Lua says "stack overflow"; less would hide that behind the memory limit.
    A program may have limits of its own (`with_own`); `most_memory` and `most_instructions` bound both.
    """

    max_memory: int = 128 * 1024 * 1024
    max_instructions: int = 200_000_000
    max_queue: int = 10_000
    max_pending: int = 10_000
    max_record: int = 8 * 1024 * 1024
    most_memory: int = UNBOUNDED
    most_instructions: int = UNBOUNDED

    def with_own(self, own: OwnLimits) -> Limits:
        """These, for a unit of a program that has limits of its own."""
        memory, instructions = (own.memory << 20) or self.max_memory, own.instructions or self.max_instructions
        return replace(
            self,
            max_memory=min(memory, self.most_memory),
            max_instructions=min(instructions, self.most_instructions),
        )


DEFAULT_LIMITS = Limits()


class World(Protocol):
    """The clock and the entropy of a unit, given by its host; answers at once and never blocks."""

    def now(self) -> int:
        """Nanoseconds since the epoch; a workflow's is its task's time."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """`count` random bytes; a workflow's come from a generator seeded by its run."""
        ...

    def workflow_info(self) -> Mapping[str, Value] | None:
        """The fields of `workflow.info()` (docs/lua.md#workflow), or None outside a workflow."""
        ...
