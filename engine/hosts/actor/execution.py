"""One time slice of an actor: what arrived goes into its unit, and what the unit asks for is carried out."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial

from engine.contracts.catalog import Catalog
from engine.errors import Failure, UnitFailed
from engine.hosts.actor.actor import Actor, State, SteppedUnit, UnitFactory
from engine.hosts.actor.asks.bus import TOPIC
from engine.hosts.actor.budget import Budget
from engine.hosts.actor.commands import Commands, Plan
from engine.hosts.actor.failures import unexpected
from engine.hosts.actor.table import Table
from engine.lua.marshal import size_of
from engine.registry.contexts import context_of
from engine.steps import (
    Event,
    Failed,
    Identity,
    Message,
    Rejected,
    Resolved,
    Returned,
    Status,
    Step,
    Upgraded,
    Waiting,
)

logger = logging.getLogger(__name__)

# A step may ask for tens of thousands of things: the lock is held for a portion of them, a few milliseconds at most.
PORTION = 256
BREATH = 0.0002
"""Seconds between portions: whoever waits for the lock gets it only when we don't take it back at once."""
HELD = 8
"""Calls that begin with one portion of results, of those that waited for it."""
PAUSE = 0.05
"""Seconds after which so many more begin though no result has come: those that did may be slow, or given up."""


class Execution:
    """Runs actors, each on one thread at a time."""

    def __init__(
        self,
        table: Table,
        budget: Budget,
        commands: Commands,
        catalog: Catalog,
        unit_factory: UnitFactory,
        *,
        strict: bool,
    ) -> None:
        self._table = table
        self._budget = budget
        self._commands = commands
        self._catalog = catalog
        self._unit_factory = unit_factory
        self._strict = strict
        self._pausing: set[Actor] = set()

    def run(self, actor: Actor) -> None:
        """Run an actor for one step; close the unit of one that has ended."""
        events = self._enter(actor)
        if events is not None:
            step = self._step(actor, events)
            unit = actor.unit
            plan = self._commands.prepare(actor, step)
            rest = self._begin_with(actor, step, plan)
            memory = unit.memory() if unit is not None else 0
            size = _size(step.status)
            with self._table.lock:
                self._budget.weigh(actor, memory)
                self._settle(actor, rest, plan, size)
            if unit is not actor.unit:
                _close(unit)
        if actor.ended:
            _close(actor.unit)
            actor.unit = None

    # --- without the lock --------------------------------------------------------------------

    def _enter(self, actor: Actor) -> list[Event] | None:
        with self._table.lock:
            if actor.ended:
                return None
            actor.state = State.STEPPING
            events = actor.take()
            if actor.held_calls:
                self._begin_held(actor)
            return events

    def _begin_held(self, actor: Actor) -> None:
        """Begin calls that waited until results were taken: few at once, the next by their results or a pause."""
        left = HELD
        while actor.held_calls and left and not actor.behind:
            left -= actor.held_calls.popleft()()

    def _step(self, actor: Actor, events: list[Event]) -> Step:
        try:
            unit = actor.unit or self._new_unit(actor)
            return unit.step(events)
        except UnitFailed as error:  # no context, no weaker one
            return Step((), Failed(error.failure))
        except Exception as error:
            logger.exception("the unit %s of %s broke", actor.pid, actor.program.entry_id)
            return Step((), Failed(unexpected(error)))

    def _new_unit(self, actor: Actor) -> SteppedUnit:
        identity = self._identity(actor)
        actor.unit = self._unit_factory(actor.program, identity, actor.args, self._table.world, actor.limits)
        actor.unit.send_now = partial(self._commands.send_now, actor)
        actor.args = ()
        return actor.unit

    def _identity(self, actor: Actor) -> Identity:
        """Who the actor is; policies are those of the current registry version. Raises UnitFailed."""
        security = context_of(actor.program.entry_id, actor.security, self._catalog)
        return Identity(actor.pid, actor.kind, actor.context, security, self._strict, attempt=actor.attempt)

    def _begin_with(self, actor: Actor, step: Step, plan: Plan) -> Step:
        """Carry out all but the last portion of many commands; the step with what is left of them."""
        while len(step.commands) > PORTION:
            with self._table.lock:
                step = self._carry_out(actor, step, plan)
            time.sleep(BREATH)
        return step

    # --- under the lock ----------------------------------------------------------------------

    def _settle(self, actor: Actor, step: Step, plan: Plan, size: int) -> None:
        """Carry out the last commands of a step, then go by its status, which holds `size` bytes."""
        step = self._carry_out(actor, step, plan)
        if actor.ended:  # by a command of its own
            return
        match step.status:
            case Waiting() as waiting:
                self._rest(actor, waiting)
            case Returned(value):
                self._table.end(actor, value, None, size)
            case Failed(failure):
                self._table.end(actor, None, failure, size)
            case Upgraded() as upgraded:
                self._upgrade(actor, upgraded, plan)

    def _carry_out(self, actor: Actor, step: Step, plan: Plan) -> Step:
        """Carry out a portion of the commands; the step with what is left of them."""
        if actor.ended:
            return Step((), step.status)
        try:
            self._commands.carry_out(actor, step.commands[:PORTION], plan)
        except Exception as error:
            logger.exception("the commands of %s of %s broke", actor.pid, actor.program.entry_id)
            return Step((), Failed(unexpected(error)))
        return replace(step, commands=step.commands[PORTION:])

    def _rest(self, actor: Actor, waiting: Waiting) -> None:
        actor.rest(waiting.queued)
        if actor.queue:
            self._table.make_ready(actor)
        else:
            actor.state = State.IDLE
            self._begin_later(actor)

    def _begin_later(self, actor: Actor) -> None:
        """See to it that what still waits to begin does so, whether or not anything comes for the actor."""
        if actor.held_calls and actor not in self._pausing:
            self._pausing.add(actor)
            self._table.bridge.timer(PAUSE, partial(self._begin_more, actor))

    def _begin_more(self, actor: Actor) -> None:
        self._pausing.discard(actor)
        if actor.state is State.IDLE:  # else it rests again, or has ended
            try:
                self._begin_held(actor)
            finally:
                self._begin_later(actor)

    def _upgrade(self, actor: Actor, upgraded: Upgraded, plan: Plan) -> None:
        """Put a new unit of the wanted program in the place of the old one: same pid, mailbox and relations."""
        if isinstance(plan.upgrade, Failure):
            self._table.end(actor, None, plan.upgrade)
            return
        actor.abandon_pending()
        actor.program = plan.upgrade or actor.program
        actor.args = upgraded.args
        actor.unit = None
        self._budget.enter(actor)
        left = [event for event in (*upgraded.messages, *actor.queue) if not _was_for_the_old_unit(event)]
        actor.forget_queue()
        for event in left:
            actor.put(event)
        self._table.make_ready(actor)


def _size(status: Status) -> int:
    """About how many bytes the result of a unit holds."""
    match status:
        case Returned(value):
            return size_of(value)
        case Failed(failure):
            return size_of(failure)
        case Waiting() | Upgraded():
            return 0


def _was_for_the_old_unit(event: Event) -> bool:
    """Answers to its commands, and events of its subscriptions."""
    return isinstance(event, Resolved | Rejected) or (isinstance(event, Message) and event.topic == TOPIC)


def _close(unit: SteppedUnit | None) -> None:
    try:
        if unit is not None:
            unit.close()
    except Exception:
        logger.exception("a unit could not be closed")
