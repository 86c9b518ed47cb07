"""One unit: a Lua state driven step by step (`Unit.step(events) -> Step`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from engine import errors
from engine.errors import Failure, ProgramError, StepAborted, UnitFailed, ValueRefused
from engine.lua import records, stacks
from engine.lua.marshal import Flat, Reader, Writer, from_lua_text, text_of
from engine.lua.service_requests import answered
from engine.lua.services.security import security_value
from engine.lua.state import IDLE, SEND, SERVICE, Output, State, compile_chunk
from engine.lua.waits import Heard, WaitBook
from engine.program import Program
from engine.steps import (
    DEFAULT_LIMITS,
    Command,
    Event,
    Failed,
    Identity,
    Limits,
    SendNow,
    Status,
    Step,
    Value,
    Waiting,
    Waits,
    World,
)

MOST_WAITS = 100
MOST_TOPICS = 1_000
MOST_TIDIED = 1 << 20
"""Bytes of a process whose garbage is looked for when it first waits; the time that takes grows with them."""
SENDS = 32
"""Messages that one step sends at once; a step that sends more ends and goes on after the others' turns."""


class Unit:
    """A running function call, process or workflow; I/O-free, single-threaded, owned by one host.

    The first step (usually with no events) starts the body with `args`. A unit may be stepped from
    different threads in turn, never from two at once. After a final status it must not be stepped.
    Creating and stepping never raise for what Lua code does: that is a `Failed` status.
    """

    def __init__(
        self,
        program: Program,
        identity: Identity,
        args: Sequence[Value],
        world: World,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._program = program
        self._identity = identity
        self._world = world
        # Runs begun with the first kernel knew of no limits of a program's own.
        self._limits = limits.with_own(program.limits) if identity.kernel > 1 else limits
        self._book = WaitBook() if identity.kind == "workflow" else None
        self._setup: Writer | None = None
        self._state: State | None = None
        self._broken: Failure | None = None
        self._gate = threading.Lock()
        self._steps = False
        self._interrupted = ""
        self.send_now: SendNow | None = None
        """How to send within a step, set before the first one; without it each send is a command."""
        try:
            self._setup = self._written_setup(args)
        except ProgramError as error:
            self._broken = Failure(errors.INVALID, _located(error), retryable=False)
        except ValueRefused as error:
            self._broken = errors.invalid(f"arguments: {error}")

    def step(self, events: Sequence[Event] = ()) -> Step:
        """Feed events in order, run until everything is blocked, and say what to do.

        An interrupted step fails a function or process; a workflow's raises StepAborted.
        """
        with self._gate:
            self._steps = True
        try:
            step = self._stepped(events)
        finally:
            with self._gate:
                self._steps = False
        if self._book is not None:
            self._book.stepped(events, step.commands, self._world.now())
        return step

    def interrupt(self, why: str) -> bool:
        """Stop the step that is under way, soon; from any thread, and more than once. False when none is.

        What it has put is lost, it can't be caught, and the unit stays stopped: `why` says what was exceeded.
        """
        with self._gate:
            if not self._steps:
                return False
            self._interrupted = self._interrupted or why
            if self._state is not None:
                self._state.interrupt(why)
            return True

    def waits(self, most: int = MOST_WAITS, most_topics: int = MOST_TOPICS) -> Waits:
        """What a workflow waits for: mailboxes, topics, commands by seq, timers by deadline; nothing for other kinds.

        At most so many topics, so many commands and so many timers are listed; the totals count all.
        """
        return self._book.listed(most, most_topics) if self._book else Waits()

    def stacks(self) -> dict[str, Any]:
        """Where each coroutine stands and what it waits for (docs/temporal.md#where-it-stands); between two steps only.

        It changes nothing that code could observe, and is bounded in bytes and in time. Nothing before the first step
        and after the end.
        """
        state = self._state
        if state is None or self._broken is not None or state.interrupted:
            return dict(stacks.EMPTY)
        return stacks.read(state.stacks(stacks.MOST_COROUTINES, stacks.MOST_ALIKE, stacks.ROOM), self._book)

    def _stepped(self, events: Sequence[Event]) -> Step:
        if self._broken is not None:
            return Step((), Failed(self._broken))
        state = self._state
        if state is None:
            state = self._open()
            first = self._run(state)
            if not events:
                if self._rests_long(state, first):
                    state.tidy()
                return first
            return first if not records.is_waiting(first.status) else _joined(first, self._fed(state, events))
        return self._fed(state, events)

    def _rests_long(self, state: State, first: Step) -> bool:
        """Whether it is worth its time to free what loading left: most of a process's life is waiting."""
        return self._identity.kind == "process" and records.is_waiting(first.status) and state.memory() < MOST_TIDIED

    def close(self) -> None:
        """Free the Lua state; safe from any thread and more than once."""
        self._state = None
        self._broken = self._broken or Failure(errors.INTERNAL, "the unit is closed", retryable=False)

    def memory(self) -> int:
        """Bytes of Lua memory in use; 0 before the first step and after close."""
        return self._state.memory() if self._state else 0

    # --- inputs -------------------------------------------------------------------------------

    def _written_setup(self, args: Sequence[Value]) -> Writer:
        chunks: dict[str, Value] = {
            key: {
                "code": compile_chunk(key, chunk.source).encode("latin-1"),
                "modules": list(chunk.modules),
                "imports": [part for pair in chunk.imports.items() for part in pair],
            }
            for key, chunk in self._program.chunks.items()
        }
        limits = {
            "instructions": self._limits.max_instructions,
            "memory": self._limits.max_memory,
            "record": self._limits.max_record,
        }
        program = {"method": self._program.method, "chunks": chunks}
        writer = Writer()
        writer.write_array(
            (
                self._identity.pid,
                self._program.entry_id,
                program,
                dict(self._identity.context),
                limits,
                security_value(self._identity.security),
                self._identity.strict,
            )
        )
        writer.write_array(args)
        return writer

    def _open(self) -> State:
        modules = sorted({name for chunk in self._program.chunks.values() for name in chunk.modules})
        sources = [chunk.source for chunk in self._program.chunks.values()]
        state = State(self._identity.kind, modules, sources, self._world.now(), self._identity.kernel)
        state.set_budget(self._limits.max_instructions)
        if self.send_now is not None and self._identity.kind != "workflow":
            state.let_send(SENDS)
        assert self._setup is not None
        state.put(self._setup.shape, self._setup.values, 0, self._world.now())
        self._setup = None
        with self._gate:
            self._state = state
            if self._interrupted:
                state.interrupt(self._interrupted)
        return state

    def _fed(self, state: State, events: Sequence[Event]) -> Step:
        writer = Writer()
        for event in events:
            _write(writer, event)
        state.put(writer.shape, writer.values, len(events), self._world.now())
        return self._run(state)

    # --- running ------------------------------------------------------------------------------

    def _run(self, state: State) -> Step:
        commands: list[Command] = []
        limit = self._limits.max_memory
        output = state.run(limit)
        while output[0] == SERVICE or output[0] == SEND:
            output = state.run(
                limit, self._sent(state, output) if output[0] == SEND else self._answer(state, output, commands)
            )
        code, unread, shape, values = output
        if code != IDLE:
            return Step(tuple(commands), Failed(self._stopped(state, code)))
        if not shape:
            return Step(tuple(commands), Waiting(unread))
        status = self._read(shape, values, commands)
        return Step(tuple(commands), status or Waiting(unread))

    def _read(self, shape: Sequence[int], values: Sequence[Any], commands: list[Command]) -> Status | None:
        """Collect the records of one run: commands into the list, the status returned."""
        status: Status | None = None
        for record in Reader(shape, values).records():
            if record[0] == "service":
                continue  # a limit struck before the task could wait for the answer
            item = records.read_record(record)
            if isinstance(item, Command):
                commands.append(item)
            elif not isinstance(item, Heard):
                status = item
            elif self._book is not None:
                self._book.heard(item, self._world.now())
        return status

    def _sent(self, state: State, output: Output) -> int:
        """Send what a task wants to send; 1 done, 0 by a command, 2 failed (with the error as input)."""
        _, _, shape, values = output
        dest, topic = (text_of(from_lua_text(value)) for value in values[:2])
        assert self.send_now is not None
        result = self.send_now(dest, topic, Flat(shape[4:], values[2:], shape[1] - 2))
        if isinstance(result, bool):
            return int(result)
        writer = Writer()
        writer.write(result)
        state.put(writer.shape, writer.values, 0, self._world.now())
        return 2

    def _answer(self, state: State, output: Output, commands: list[Command]) -> int:
        request: list[Value] = []
        for record in Reader(output[2], output[3]).records():
            if record[0] == "service":
                request = record
            else:
                item = records.read_record(record)
                assert isinstance(item, Command)
                commands.append(item)
        writer = self._served(str(request[1]), request[2])
        state.put(writer.shape, writer.values, 0, self._world.now())
        return 0

    def _served(self, name: str, args: list[Value]) -> Writer:
        writer = Writer()
        try:
            writer.write_array((self._value_of(name, args), None))
        except UnitFailed as error:
            writer = Writer()
            writer.write_array((None, error.failure))
        except ValueRefused as error:
            writer = Writer()
            writer.write_array((None, errors.invalid(str(error))))
        return writer

    def _value_of(self, name: str, args: list[Value]) -> Value:
        return self._sent_by(*args) if name == "send" else answered(name, args, self._world, self._identity)

    def _sent_by(self, dest: Value, topic: Value, payloads: Sequence[Value]) -> bool:
        """Send without a wait, as a workflow does: False when it takes a command."""
        if self.send_now is None:
            return False
        result = self.send_now(text_of(dest), text_of(topic), payloads)
        if isinstance(result, Failure):
            raise UnitFailed(result)
        return result

    def _stopped(self, state: State, code: int | str) -> Failure:
        if state.interrupted:
            return self._aborted(state.interrupted)
        if isinstance(code, str):
            return Failure(errors.INTERNAL, f"engine error: {code}", retryable=False)
        if state.exceeded() == "instructions":
            limit = (
                f"instruction limit exceeded: more than {self._limits.max_instructions} Lua instructions in one step"
            )
        else:
            limit = f"memory limit exceeded: more than {self._limits.max_memory >> 20} MiB of Lua memory"
        return Failure(errors.LIMIT_EXCEEDED, limit, retryable=False)

    def _aborted(self, why: str) -> Failure:
        if self._identity.kind == "workflow":
            raise StepAborted(why)
        return Failure(errors.LIMIT_EXCEEDED, why, retryable=False)


def _write(writer: Writer, event: Event) -> None:
    """Append an event; of one that Lua can't hold (nested too deeply) the unit gets an error instead."""
    shape, values = len(writer.shape), len(writer.values)
    try:
        records.write_event(writer, event)
    except ValueRefused as error:
        del writer.shape[shape:], writer.values[values:]
        records.write_event(writer, records.refused(event, errors.invalid(str(error))))


def _located(error: ProgramError) -> str:
    return f"{error.entry_id}:{error.line}: {error}" if error.line else f"{error.entry_id}: {error}"


def _joined(first: Step, second: Step) -> Step:
    return Step(first.commands + second.commands, second.status)
