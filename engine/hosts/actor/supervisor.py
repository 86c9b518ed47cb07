"""The supervisor of a node: runs the `process.service` entries of the registry (lua-api 19).

All coroutines are for the node's loop. Workflows are outside of supervision.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping

from engine.errors import UnitFailed
from engine.host import Catalog, Host, Node
from engine.hosts.actor.service import FAILED, Clock, Service, ServiceState
from engine.hosts.actor.service_spec import SERVICE, ServiceSpec, start_levels

logger = logging.getLogger(__name__)


class SystemClock:
    """The real time."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait on the loop."""
        await asyncio.sleep(seconds)


class Supervisor:
    """Keeps services as the registry wants them. `on_state` is called on the loop for every change.

    A service whose dependencies form a cycle is Failed, and so is one that requires what does not
    exist: an operator sees it; the node goes on.
    """

    def __init__(
        self,
        node: Node,
        on_state: Callable[[ServiceState], None],
        *,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock or SystemClock()
        self.chance = chance
        self._node = node
        self._on_state = on_state
        self._services: dict[str, Service] = {}
        self._broken: dict[str, ServiceState] = {}
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
        """The state of every service, by id."""
        states = {id_: service.state for id_, service in self._services.items()} | self._broken
        return [states[id_] for id_ in sorted(states)]

    async def reconcile(self, catalog: Catalog) -> None:
        """Follow the registry: start new services, stop deleted ones, restart changed ones.

        Returns when what had to stop has stopped; starting goes on by itself.
        """
        async with self._changing:
            specs, errors = _wanted(catalog)
            levels, cycles = start_levels(specs)
            await self._stop([id_ for id_, service in self._services.items() if _outdated(service, specs)])
            self._report_broken(errors | cycles)
            for level in levels:
                for id_ in level:
                    if id_ not in self._services:
                        self._start(specs[id_], catalog)

    async def stop(self) -> None:
        """Stop all services, those that depend on others first."""
        async with self._changing:
            await self._stop(list(self._services))

    async def stop_service(self, entry_id: str) -> None:
        """Stop one service until `restart_service`, or until its entry changes; unknown ids are ignored."""
        async with self._changing:
            if service := self._services.get(entry_id):
                await service.stop()

    async def restart_service(self, entry_id: str, catalog: Catalog) -> None:
        """Stop one service, if it runs, and start it by its current entry; raises UnitFailed when it can't be read."""
        async with self._changing:
            entry = catalog.entry(entry_id)
            await self._stop([entry_id])
            if entry is not None and entry.kind == SERVICE:
                self._start(ServiceSpec.read(entry, catalog), catalog)

    def _start(self, spec: ServiceSpec, catalog: Catalog) -> None:
        needs = [self._services[need] for need in spec.requires if need in self._services]
        service = self._services[spec.entry_id] = Service(spec, self, needs)
        missing = [need for need in spec.requires if need not in self._services and not _exists(need, catalog)]
        if missing:
            service.fail(f"requires '{missing[0]}', which does not run")
        else:
            service.start()

    async def _stop(self, ids: Iterable[str]) -> None:
        """Stop services in reverse order of their start, those of one level together."""
        levels, _ = start_levels({id_: self._services[id_].spec for id_ in ids if id_ in self._services})
        for level in reversed(levels):
            await asyncio.gather(*(self._services[id_].stop() for id_ in level))
            for id_ in level:
                del self._services[id_]

    def _report_broken(self, errors: Mapping[str, str]) -> None:
        now = self.clock.now()
        self._broken = {id_: ServiceState(id_, FAILED, now, error=text) for id_, text in errors.items()}
        for state in self._broken.values():
            self.changed(state)


def _wanted(catalog: Catalog) -> tuple[dict[str, ServiceSpec], dict[str, str]]:
    """The services that run by themselves or are required by such, and the errors of unreadable ones."""
    specs: dict[str, ServiceSpec] = {}
    errors: dict[str, str] = {}
    for entry in catalog.entries(SERVICE):
        try:
            specs[entry.id] = ServiceSpec.read(entry, catalog)
        except UnitFailed as error:
            errors[entry.id] = error.failure.message
    wanted: dict[str, ServiceSpec] = {}
    frontier = [id_ for id_, spec in specs.items() if spec.auto_start]
    while frontier:
        id_ = frontier.pop()
        if id_ in specs and id_ not in wanted:
            wanted[id_] = specs[id_]
            frontier.extend(specs[id_].requires)
    return wanted, errors


def _outdated(service: Service, specs: Mapping[str, ServiceSpec]) -> bool:
    spec = specs.get(service.spec.entry_id)
    return spec is None or spec.fingerprint != service.spec.fingerprint


def _exists(entry_id: str, catalog: Catalog) -> bool:
    """Whether a requirement that is no running service is met: hosts and clients are up with the node."""
    entry = catalog.entry(entry_id)
    return entry is not None and entry.kind != SERVICE
