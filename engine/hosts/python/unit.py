"""A call of a Python function as a unit: one request to its host, whose answer is its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from engine.errors import INTERNAL, Failure
from engine.hosts.actor.actor import SteppedUnit, UnitFactory
from engine.hosts.python.call import PythonCall
from engine.program import Program
from engine.registry.kinds import PYTHON_FUNCTION
from engine.steps import (
    Ask,
    CancelRequested,
    Event,
    Exited,
    Failed,
    Identity,
    Limits,
    LinkDown,
    Message,
    Rejected,
    Resolved,
    Returned,
    SendNow,
    Status,
    Step,
    Value,
    Waiting,
    World,
)

CALL = "python.call"
"""The operation that runs the callable; its one argument is the `PythonCall`."""


class PythonUnit:
    """Asks for the call, waits, and ends as it ends. A wish to stop it reaches the code by the call."""

    def __init__(
        self, program: Program, identity: Identity, args: Sequence[Value], world: World, limits: Limits
    ) -> None:
        self._call = PythonCall(program, identity, args, limits.max_record)
        self._begun = False
        self.send_now: SendNow | None = None

    def step(self, events: Sequence[Event] = ()) -> Step:
        """Ask the host in the first step; then go by what arrived."""
        commands = () if self._begun else (Ask(1, CALL, (self._call,)),)
        self._begun = True
        for event in events:
            status = self._heard(event)
            if not isinstance(status, Waiting):
                return Step(commands, status)
        return Step(commands, Waiting())

    def close(self) -> None:
        """The code is not wanted any more; nothing, when it has ended."""
        self._call.give_up()

    def memory(self) -> int:
        """No memory of Lua."""
        return 0

    def _heard(self, event: Event) -> Status:
        match event:
            case Resolved(_, value):
                return Returned(value)
            case Rejected(_, failure):
                return Failed(failure)
            case CancelRequested(reason=reason):
                self._call.cancel(reason)
                return Waiting()
            case LinkDown(failure=failure):
                return Failed(failure or Failure(INTERNAL, "a linked unit ended", retryable=False))
            case Message() | Exited():  # nothing receives them
                return Waiting()
            case _:
                assert_never(event)


def with_python(others: UnitFactory) -> UnitFactory:
    """A factory that makes the units of Python functions, and has `others` make all else."""

    def make(program: Program, identity: Identity, args: Sequence[Value], world: World, limits: Limits) -> SteppedUnit:
        factory: UnitFactory = PythonUnit if program.kind == PYTHON_FUNCTION else others
        return factory(program, identity, args, world, limits)

    return make
