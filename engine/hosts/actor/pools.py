"""How many calls of one function run at once; the others queue, and their callers take turns.

See docs/lua.md#pools-and-call-options.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.entry import Entry
from engine.hosts.actor.concurrency.fair import FairQueue
from engine.hosts.actor.options import positive

DEFAULT_BOUND = 16
STATIC_BOUND = 8

SPARE = 64
"""Who left a queue stays in it until his turn, or until they are most of it and so many more."""

Run = Callable[[], None]


def bound_of(entry: Entry) -> int:
    """The most calls of the entry at once; 0 means any number (`type: inline`)."""
    pool = entry.data.get("pool")
    sizes = pool if isinstance(pool, Mapping) else {}
    if sizes.get("type") == "inline":
        return 0
    names = ("workers", "size", "max_size") if sizes.get("type") == "static" else ("max_size", "workers", "size")
    for name in names:
        if size := positive(sizes.get(name)):
            return size
    return STATIC_BOUND if sizes.get("type") == "static" else DEFAULT_BOUND


def _nobody() -> None:
    """Run nothing."""


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)
class Ticket:
    """One call's place. `within` holds the functions that wait for it, directly or not.

    `held` is asked when its turn comes, and says whether it can't begin now: it gives its place up, to enter again.
    """

    function: str
    within: frozenset[str]
    run: Run
    held: Callable[[], bool]
    running: bool = False
    left: bool = False


@dataclass(slots=True)
class _Pool:
    bound: int = 0
    running: int = 0
    waiting: int = 0
    # Those who left while they waited stay in it until their turn.
    queue: FairQueue[Ticket] = field(default_factory=FairQueue)
    # How many of the waiting calls each function waits for: the edges of the wait graph.
    within: Counter[str] = field(default_factory=Counter)

    def has_room(self) -> bool:
        """Whether one more call may run."""
        return not self.bound or self.running < self.bound


class Pools:
    """The pools of all functions of a node."""

    def __init__(self) -> None:
        self._pools: dict[str, _Pool] = {}

    def enter(
        self,
        function: str,
        bound: int,
        within: Callable[[], frozenset[str]],
        run: Run,
        *,
        caller: str = "",
        held: Callable[[], bool] = _never,
    ) -> Ticket:
        """Run now, or when another call leaves. `within` is asked only when the pool is full, `held` after a wait."""
        pool = self._pools.setdefault(function, _Pool())
        pool.bound = bound
        if pool.has_room():
            ticket = Ticket(function, frozenset(), run, held)
            self._admit(pool, ticket)
            return ticket
        ticket = Ticket(function, within(), run, held)
        if self._would_deadlock(ticket):
            self._admit(pool, ticket)
        else:
            pool.waiting += 1
            pool.queue.push(ticket, caller)
            pool.within.update(ticket.within)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """The call is over or does not wait any more; the next one runs."""
        if ticket.left:
            return
        ticket.left = True
        pool = self._pools[ticket.function]
        if not ticket.running:
            pool.waiting -= 1
            pool.within -= Counter(ticket.within)
            ticket.run, ticket.held = _nobody, _never  # what it calls with may be large
            if len(pool.queue) > 2 * pool.waiting + SPARE:
                pool.queue.keep(lambda each: not each.left)
        else:
            pool.running -= 1
            while pool.waiting and pool.has_room():
                self._admit_next(pool)
        if not (pool.running or pool.waiting):
            del self._pools[ticket.function]

    def _admit_next(self, pool: _Pool) -> None:
        while (ticket := pool.queue.pop()).left:
            pass
        pool.waiting -= 1
        pool.within -= Counter(ticket.within)
        if ticket.held():
            ticket.left = True
        else:
            self._admit(pool, ticket)

    def _admit(self, pool: _Pool, ticket: Ticket) -> None:
        pool.running += 1
        ticket.running = True
        ticket.run()

    def _would_deadlock(self, ticket: Ticket) -> bool:
        """Whether those who wait for the call are, through other queued calls, waited for by its pool.

        The last call that would close such a ring runs at once, so no ring of full pools ever forms.
        """
        seen, frontier = {ticket.function}, [ticket.function]
        while frontier:
            function = frontier.pop()
            if function in ticket.within:
                return True
            blocking = {name for name, pool in self._pools.items() if pool.within[function] and name not in seen}
            seen |= blocking
            frontier.extend(blocking)
        return False
