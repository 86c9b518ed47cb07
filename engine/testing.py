"""For tests of Lua code without a server: a step driver with a hand-moved clock.

    driver = Driver.of_source('return {main = function(n) require("time").sleep("24h") return n end}', args=(1,))
    driver.advance(hours=24)
    assert driver.value == 1

Calls, spawns and messages wait in `driver.commands` until the test answers them; timers fire when
`advance` moves the clock past them; `functions` answers calls at once, and `asks` what modules ask of their host:

    asks = RegistryAsks(MemoryRegistry(catalog)).handlers()

`operations` reach the world as in a node, one after the other, and what the unit holds is closed with it or by
`close`; one that is not given waits in `commands`, as all else that the test answers.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from engine.asks.operations import Asked, Closer, Held, carried_out
from engine.contracts.ask import AskHandler
from engine.contracts.operation import Asker, Operation
from engine.errors import Failure, UnitFailed, not_found
from engine.lua.unit import Unit
from engine.modules import ASKING, MODULES
from engine.program import Chunk, Program
from engine.security.context import Security
from engine.steps import (
    DEFAULT_LIMITS,
    KERNEL,
    Ask,
    Call,
    CancelRequested,
    CancelTimer,
    Command,
    Event,
    Exited,
    Failed,
    Identity,
    Limits,
    Log,
    Message,
    Rejected,
    Resolved,
    Returned,
    StartTimer,
    Status,
    Step,
    Value,
    Wait,
    Waiting,
)

SECOND = 1_000_000_000
PID = "{test:unit|0x00001}"


@dataclass
class HandWorld:
    """A clock that only the test moves (ns), and entropy from a seed."""

    clock: int = 1_700_000_000 * SECOND
    seed: int = 1
    info: Mapping[str, Value] | None = None
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    def now(self) -> int:
        """The hand-moved time."""
        return self.clock

    def random_bytes(self, count: int) -> bytes:
        """The same bytes for the same seed."""
        return self._random.randbytes(count)

    def workflow_info(self) -> Mapping[str, Value] | None:
        """What the test said."""
        return self.info


def program_of(source: str, kind: str = "function", modules: Sequence[str] | None = None) -> Program:
    """A program of one chunk, with the entry id `test:unit`; `modules` None means all that the kind may use."""
    if modules is None:
        modules = sorted(MODULES.keys() - ASKING) if kind == "workflow" else sorted(MODULES)
    return Program("test:unit", f"{kind}.lua", "main", {"test:unit": Chunk("test:unit", source, tuple(modules))})


class Driver:
    """Drives one unit. The unit's first step runs at once."""

    def __init__(
        self,
        program: Program,
        kind: str = "function",
        args: Sequence[Value] = (),
        *,
        functions: Mapping[str, Callable[..., Value]] | None = None,
        asks: Mapping[str, AskHandler] | None = None,
        operations: Mapping[str, Operation] | None = None,
        context: Mapping[str, Value] | None = None,
        security: Security | None = None,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        world: HandWorld | None = None,
        kernel: int = KERNEL,
    ) -> None:
        self.world = world or HandWorld()
        self.functions = dict(functions or {})
        self.asks = dict(asks or {})
        self.outside = _Outside(operations or {}, program.entry_id, kind)
        self.commands: list[Command] = []
        self.logs: list[Log] = []
        self.timers: dict[int, int] = {}
        self.status: Status = Waiting()
        identity = Identity(PID, kind, context or {}, security, strict, kernel)
        self.unit = Unit(program, identity, args, self.world, limits)
        self.feed()

    @classmethod
    def of_source(cls, source: str, kind: str = "function", args: Sequence[Value] = (), **options: object) -> Driver:
        """A driver for a source text with every module declared."""
        return cls(program_of(source, kind), kind, args, **options)  # type: ignore[arg-type]

    # --- feeding --------------------------------------------------------------------------------

    def feed(self, *events: Event) -> Status:
        """One step with these events, and more steps while `functions` can answer calls."""
        pending: Sequence[Event] = events
        while True:
            step = self.unit.step(pending)
            self.status = step.status
            pending = self._answers(step)
            if not self.waiting:
                self.close()
            if not pending or not self.waiting:
                return self.status

    def resolve(self, command: Command | int, value: Value = None) -> Status:
        """Answer a command (or its seq) with a value."""
        return self.feed(Resolved(self._taken(command), value))

    def reject(self, command: Command | int, failure: Failure) -> Status:
        """Answer a command (or its seq) with a failure."""
        return self.feed(Rejected(self._taken(command), failure))

    def send(self, topic: str, *payloads: Value, sender: str = "") -> Status:
        """Deliver a message."""
        return self.feed(Message(topic, payloads, sender))

    def cancel(self, reason: str = "", sender: str = "") -> Status:
        """Ask the unit to stop."""
        return self.feed(CancelRequested(sender, reason, self.world.now()))

    def exit(self, pid: str, value: Value = None, failure: Failure | None = None) -> Status:
        """Tell the unit that one that it watches has ended."""
        return self.feed(Exited(pid, self.world.now(), value, failure))

    def advance(self, seconds: float = 0, *, hours: float = 0) -> Status:
        """Move the clock and fire the timers that are due, each at its own time."""
        end = self.world.clock + round((seconds + hours * 3600) * SECOND)
        while self.waiting and self.timers and min(self.timers.values()) <= end:
            seq = min(self.timers, key=lambda s: (self.timers[s], s))
            self.world.clock = max(self.world.clock, self.timers.pop(seq))
            self.feed(Resolved(seq))
        self.world.clock = end
        return self.status

    def close(self) -> None:
        """Close what the unit holds outside, as its end does."""
        self.outside.close()

    # --- looking --------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether the unit goes on."""
        return isinstance(self.status, Waiting)

    @property
    def value(self) -> Value:
        """What the unit returned; AssertionError when it did not."""
        assert isinstance(self.status, Returned), self.status
        return self.status.value

    @property
    def failure(self) -> Failure:
        """How the unit failed; AssertionError when it did not."""
        assert isinstance(self.status, Failed), self.status
        return self.status.failure

    @property
    def waits(self) -> tuple[Wait, ...]:
        """What the unit waits for; AssertionError when it has ended."""
        assert isinstance(self.status, Waiting), self.status
        return self.unit.waits().listed

    def last(self) -> Command:
        """The newest command that waits for an answer."""
        return self.commands[-1]

    # --- carrying out ---------------------------------------------------------------------------

    def _answers(self, step: Step) -> list[Event]:
        answers = []
        for command in step.commands:
            answer = self._carry_out(command)
            if answer is not None:
                answers.append(answer)
        return answers

    def _carry_out(self, command: Command) -> Event | None:
        match command:
            case Log():
                self.logs.append(command)
            case StartTimer(seq, duration):
                self.timers[seq] = self.world.now() + duration
            case CancelTimer(seq):
                self.timers.pop(seq, None)
            case Ask(seq, "random.secret"):
                return Resolved(seq, self.world.random_bytes(32))
            case Call(seq, target) if self.functions:
                return self._call(command, self.functions.get(target))
            case Ask(name=name) if name in self.asks:
                return self._ask(command)
            case Ask(name=name) if name in self.outside.operations:
                return self.outside.answer(command)
            case _:
                self.commands.append(command)
        return None

    def _call(self, call: Call, function: Callable[..., Value] | None) -> Event:
        if function is None:
            return Rejected(call.seq, not_found(f"no handler registered for target {call.target}"))
        try:
            return Resolved(call.seq, function(*call.args))
        except UnitFailed as error:
            return Rejected(call.seq, error.failure)

    def _ask(self, ask: Ask) -> Event:
        """On a thread with a loop of its own, since a test may run on one already."""
        answer = self.asks[ask.name](PID, ask.args)
        try:
            with ThreadPoolExecutor(1) as thread:
                return Resolved(ask.seq, thread.submit(asyncio.run, _awaited(answer)).result())
        except UnitFailed as error:
            return Rejected(ask.seq, error.failure)

    def _taken(self, command: Command | int) -> int:
        seq = command if isinstance(command, int) else _seq(command)
        self.commands = [c for c in self.commands if _seq(c) != seq]
        return seq


class _Outside:
    """Carries operations out, on a thread with a loop of its own that lasts as long as handles may."""

    def __init__(self, operations: Mapping[str, Operation], entry: str, kind: str) -> None:
        self.operations = operations
        self._held = Held(Closer(), PID)
        self._asker = Asker(PID, entry, kind, self._held, Asked())
        self._thread: ThreadPoolExecutor | None = None
        self._runner: asyncio.Runner | None = None

    def answer(self, ask: Ask) -> Event:
        """What the operation answers."""
        operation = self.operations[ask.name]
        try:
            return Resolved(ask.seq, self._run(carried_out(operation, self._asker, ask.args)))
        except UnitFailed as error:
            return Rejected(ask.seq, error.failure)

    def close(self) -> None:
        """Close all handles, and the loop."""
        if self._thread is None or self._runner is None:
            return
        self._run(self._held.end())
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()
        self._thread = self._runner = None

    def _run(self, work: Coroutine[Any, Any, Value]) -> Value:
        if self._thread is None or self._runner is None:
            self._thread, self._runner = ThreadPoolExecutor(1), asyncio.Runner()
        return self._thread.submit(self._runner.run, work).result()


def _seq(command: Command) -> int:
    return 0 if isinstance(command, Log) else command.seq


async def _awaited(answer: Awaitable[Value]) -> Value:
    return await answer
