"""The supervisor of a node: runs the `process.service` entries of the registry (docs/lua.md#services).

All coroutines are for the node's loop. Workflows are outside of supervision.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from engine.contracts.catalog import Catalog
from engine.contracts.host import Host
from engine.contracts.node import Node
from engine.durations import SECOND
from engine.errors import UnitFailed, not_found
from engine.hosts.actor.supervision.service import Clock, Requirement, Service
from engine.hosts.actor.supervision.spec import SERVICE, ServiceSpec, Specs, read_specs, start_levels
from engine.hosts.actor.supervision.state import FAILED, UNKNOWN, ServiceState

logger = logging.getLogger(__name__)


class SystemClock:
    """The real time."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait on the loop."""
        await asyncio.sleep(seconds)


class Parts(Protocol):
    """The hosts, clients and workers of a node, as far as services wait for them."""

    async def up(self, entry_id: str) -> bool:
        """Wait until the entry's part runs; whoever stops waiting cancels."""
        ...


class AlwaysUp:
    """The parts of a node whose hosts are up as soon as it is."""

    async def up(self, entry_id: str) -> bool:
        """At once."""
        return True


def any_service(entry_id: str) -> bool:
    """A node that may run every service."""
    return True


class Supervisor:
    """Keeps services as the registry wants them. `on_state` is called on the loop for every change.

    The node serves others as well, so nothing of this ends it: a service of which the start fails, that requires
    what does not run or exist, or that waits for itself in a circle, is Failed, and so are those that require it.
    A service for which `may_run` is false is none of this node's; call `reconcile` when the answer changes.
    """

    def __init__(
        self,
        node: Node,
        on_state: Callable[[ServiceState], None],
        *,
        parts: Parts | None = None,
        may_run: Callable[[str], bool] = any_service,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock or SystemClock()
        self.chance = chance
        self._node = node
        self._on_state = on_state
        self._parts = parts or AlwaysUp()
        self._may_run = may_run
        self._services: dict[str, Service] = {}
        self._others: dict[str, ServiceState] = {}
        self._by_hand: set[str] = set()
        self._changing = asyncio.Lock()

    # --- for services --------------------------------------------------------------------------

    def host(self, host_id: str) -> Host | None:
        """A host of the node."""
        return self._node.host(host_id)

    def changed(self, state: ServiceState) -> None:
        """Report a change of state."""
        try:
            self._on_state(state)
        except Exception:
            logger.exception("the state of %s could not be reported", state.entry_id)

    # --- for the node ---------------------------------------------------------------------------

    def states(self) -> list[ServiceState]:
        """The state of every service that this node may run, by id; those too that nobody has started."""
        states = {id_: service.state for id_, service in self._services.items()} | self._others
        return [states[id_] for id_ in sorted(states)]

    async def up(self, entry_id: str) -> bool:
        """Wait until a service runs; False when it will not, for hosts and workers that require it."""
        service = self._services.get(entry_id)
        return service is not None and await service.up()

    async def reconcile(self, catalog: Catalog) -> None:
        """Follow the registry: start new services, stop deleted ones, restart changed ones.

        Returns when what had to stop has stopped; starting goes on by itself.
        """
        async with self._changing:
            await self._follow(catalog)

    async def stop(self) -> None:
        """Stop all services, those that depend on others first."""
        async with self._changing:
            await self._stop(list(self._services))

    def seconds_to_stop(self) -> float:
        """How long `stop` may take by the `stop_timeout` of the services that are there."""
        levels, _ = start_levels({id_: service.spec for id_, service in self._services.items()})
        return sum(max(self._services[id_].spec.stop_timeout for id_ in level) for level in levels) / SECOND

    async def stop_service(self, entry_id: str) -> None:
        """Stop one service until `start_service`, or until its entry changes; NotFound unless it was started here."""
        async with self._changing:
            service = self._services.get(entry_id)
            if service is None:
                raise UnitFailed(not_found(f"this node runs no service '{entry_id}'"))
            self._by_hand.discard(entry_id)
            await service.stop()

    async def start_service(self, entry_id: str, catalog: Catalog) -> None:
        """Stop one service, if it runs, and start it and what it requires; NotFound unless it is this node's."""
        async with self._changing:
            entry = catalog.entry(entry_id)
            if entry is None or entry.kind != SERVICE or not self._may_run(entry_id):
                raise UnitFailed(not_found(f"this node has no service '{entry_id}'"))
            self._by_hand.add(entry_id)
            await self._stop([entry_id])
            await self._follow(catalog)

    # --- following the registry ------------------------------------------------------------------

    async def _follow(self, catalog: Catalog) -> None:
        known = read_specs(catalog, self._may_run)
        self._by_hand &= known.good.keys()
        wanted = known.wanted(self._by_hand)
        levels, cycles = start_levels(wanted)
        await self._stop([id_ for id_, service in self._services.items() if _outdated(service, wanted)])
        for id_ in (id_ for level in levels for id_ in level if id_ not in self._services):
            self._start(wanted[id_], catalog)
        idle = {id_ for id_ in known.good if id_ not in self._services and id_ not in cycles}
        self._report_others(idle, known.errors | cycles)

    def _start(self, spec: ServiceSpec, catalog: Catalog) -> None:
        requirements = [Requirement(id_, self._way_up(id_, catalog)) for id_ in spec.requires]
        service = self._services[spec.entry_id] = Service(spec, self, requirements)
        service.start()

    def _way_up(self, required: str, catalog: Catalog) -> Callable[[], asyncio.Future[bool]]:
        entry = catalog.entry(required)
        if entry is None or entry.kind == SERVICE:
            return lambda: asyncio.ensure_future(self.up(required))
        return lambda: asyncio.ensure_future(self._parts.up(required))

    async def _stop(self, ids: Iterable[str]) -> None:
        """Stop services in reverse order of their start, those of one level together."""
        levels, _ = start_levels({id_: self._services[id_].spec for id_ in ids if id_ in self._services})
        for level in reversed(levels):
            await asyncio.gather(*(self._services[id_].stop() for id_ in level))
            for id_ in level:
                del self._services[id_]

    def _report_others(self, idle: Collection[str], errors: dict[str, str]) -> None:
        """Report the services that were not started and those that can't be, where that is new."""
        now = self.clock.now()
        others = {id_: ServiceState(id_, UNKNOWN, now) for id_ in idle}
        others |= {id_: ServiceState(id_, FAILED, now, error=text) for id_, text in errors.items()}
        before, self._others = self._others, {}
        for id_, state in others.items():
            old = before.get(id_)
            same = old is not None and (old.state, old.error) == (state.state, state.error)
            self._others[id_] = old if old is not None and same else state
            if not same:
                self.changed(state)


def _outdated(service: Service, wanted: Specs) -> bool:
    """Whether it has to end: unwanted, changed, or blocked by something that may have changed."""
    spec = wanted.get(service.spec.entry_id)
    return spec is None or spec.fingerprint != service.spec.fingerprint or service.blocked
