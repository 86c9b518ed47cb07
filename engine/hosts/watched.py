"""Units that are watched while they step, and do not begin where their program is quarantined."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.contracts.watcher import Card, Watcher
from engine.errors import UNAVAILABLE, Failure, StepAborted
from engine.hosts.slots import Slots
from engine.lua.unit import Unit
from engine.pids import Pid
from engine.program import Program
from engine.steps import DEFAULT_LIMITS, Event, Failed, Identity, Limits, Step, Value, World

CROWDED = "slow steps of other runs of this program hold its threads: the task is tried again"


class WatchedUnit(Unit):
    """A unit whose steps a watcher knows of. Refused, it ends Unavailable; the task of a workflow fails instead.

    The steps of workflows take places of their program.
    """

    def __init__(
        self,
        watcher: Watcher,
        slots: Slots,
        program: Program,
        identity: Identity,
        args: Sequence[Value],
        world: World,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(program, identity, args, world, limits)
        self._watcher = watcher
        self._slots = slots
        pid = Pid.parse(identity.pid)
        host = pid.host if pid else ""
        self._card = Card(identity.kind, program.entry_id, program.digest, host, identity.pid)
        self._begun = False

    def step(self, events: Sequence[Event] = ()) -> Step:
        """As `Unit.step`, watched."""
        if not self._begun or self._card.kind == "workflow":
            self._begun = True
            if why := self._watcher.refusal(self._card):
                return self._refused(why)
        if self._card.kind != "workflow":
            return self._watched(events)
        if not self._slots.enter(self._card.digest):
            raise StepAborted(CROWDED)
        try:
            return self._watched(events)
        finally:
            self._slots.leave(self._card.digest)

    def _watched(self, events: Sequence[Event]) -> Step:
        self._watcher.begin(self, self._card)
        try:
            return super().step(events)
        finally:
            self._watcher.end()

    def _refused(self, why: str) -> Step:
        if self._card.kind == "workflow":
            raise StepAborted(why)
        return Step((), Failed(Failure(UNAVAILABLE, why, retryable=False)))


def watched_by(watcher: Watcher) -> Callable[..., WatchedUnit]:
    """A factory of watched units: of a node's, or of one queue's."""
    slots = Slots()
    return lambda program, identity, args, world, limits: WatchedUnit(
        watcher, slots, program, identity, args, world, limits
    )
