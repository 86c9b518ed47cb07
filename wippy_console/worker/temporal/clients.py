"""The Temporal clients of one OS process, by the registry's temporal.client entries."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio.client import Client

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import UNAVAILABLE, Failure, UnitFailed, not_found
from engine.hosts.temporal.client.connections import Clients
from wippy_console.services.by_kind import CLIENT
from wippy_console.services.reconciler import clients_in_use


class ClientPool:
    """Clients by entry id (`projection.fetching.Clients`), connected when they are first asked for."""

    def __init__(self, catalog: Catalog, environ: Mapping[str, str], identity: str) -> None:
        self._catalog = catalog
        self.environ = environ
        self._clients = Clients(environ, identity)

    async def client(self, client_id: str) -> Client:
        """The connected client; UnitFailed: NotFound, Invalid, Unavailable."""
        return await self._clients.of(self._entry(client_id))

    async def another(self, client_id: str) -> Client:
        """`client`, on a connection that nothing else uses."""
        return await self._clients.another(self._entry(client_id))

    async def any_client(self) -> Client:
        """A client by which other nodes are reached: each of those that workers use leads to all."""
        failure = UnitFailed(Failure(UNAVAILABLE, "no worker uses a temporal.client, by which nodes reach each other"))
        for client_id in clients_in_use(self._catalog):
            try:
                return await self.client(client_id)
            except UnitFailed as error:
                failure = error
        raise failure

    def _entry(self, client_id: str) -> Entry:
        entry = self._catalog.entry(client_id)
        if entry is None or entry.kind != CLIENT:
            raise UnitFailed(not_found(f"no {CLIENT} entry '{client_id}'"))
        return entry
