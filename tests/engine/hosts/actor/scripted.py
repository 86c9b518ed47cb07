"""A unit made of Python functions: for what no Lua program does, such as breaking the step contract."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from engine.program import Program
from engine.steps import Event, Identity, Limits, SendNow, Step, Value, World

Script = Callable[["ScriptedUnit", Sequence[Event]], Step]


class ScriptedUnit:
    """Steps by its script; notes when two threads step it at once."""

    overlapped = False
    send_now: SendNow | None = None

    def __init__(self, script: Script, identity: Identity) -> None:
        self.pid = identity.pid
        self.steps = 0
        self.closed = 0
        self._script = script
        self._busy = threading.Lock()

    def step(self, events: Sequence[Event] = ()) -> Step:
        """Ask the script."""
        if not self._busy.acquire(blocking=False):
            self.overlapped = True
        try:
            self.steps += 1
            return self._script(self, events)
        finally:
            self._busy.release()

    def memory(self) -> int:
        """None."""
        return 0

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Scripts:
    """A unit factory: scripts by entry id, and every unit that it made."""

    def __init__(self, **scripts: Script) -> None:
        self.units: list[ScriptedUnit] = []
        self._scripts = scripts

    def __call__(
        self, program: Program, identity: Identity, args: Sequence[Value], world: World, limits: Limits
    ) -> ScriptedUnit:
        """A unit of the entry's name."""
        unit = ScriptedUnit(self._scripts[program.entry_id.partition(":")[2]], identity)
        self.units.append(unit)
        return unit
