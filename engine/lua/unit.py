"""One unit: a Lua state driven step by step (`Unit.step(events) -> Step`)."""

from __future__ import annotations

from collections.abc import Sequence

from engine.program import Program
from engine.steps import Event, Identity, Limits, Step, Value, World


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
        limits: Limits = Limits(),
    ) -> None:
        raise NotImplementedError

    def step(self, events: Sequence[Event] = ()) -> Step:
        """Feed events in order, run until everything is blocked, and say what to do."""
        raise NotImplementedError

    def close(self) -> None:
        """Free the Lua state; safe from any thread and more than once."""
        raise NotImplementedError
