"""The Temporal servers where runs are: the one of the settings, those of clients, and whether they answer."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client, TLSConfig
from temporalio.service import RPCError

from engine.entry import Entry, namespace_of
from engine.errors import UnitFailed
from engine.hosts.temporal.client import business_keys
from engine.hosts.temporal.client.connections import (
    ClientSettings,
    NamespaceMissing,
    has_namespace,
    no_namespace,
    unreachable,
)
from engine.hosts.temporal.settings import reference
from engine.hosts.temporal.wire import failures
from wippy_console import permissions
from wippy_console.env import TemporalEnv
from wippy_console.permissions import Scope
from wippy_console.services import temporal
from wippy_console.services.by_kind import CLIENT, WORKER

FRESH_SECONDS = 2.0
LATELY_SECONDS = 20.0
PATIENCE_SECONDS = 1.5


class Unreachable(Exception):
    """The given Temporal does not answer, or not to us."""


class NoNamespace(Unreachable):
    """It answers, and has no such namespace."""


async def connect(server: TemporalEnv) -> Client:
    """Connect with the credentials of the environment; Unreachable says what to check, also without the namespace."""
    try:
        client = await Client.connect(
            server.address,
            namespace=server.namespace,
            api_key=server.api_key or None,
            tls=tls_config(server),
        )
    except (RuntimeError, OSError) as error:
        raise Unreachable(
            f"{unreachable(server.address, error)} (TEMPORAL_ADDRESS); start it, correct the address, "
            "or unset TEMPORAL_ADDRESS to use the embedded server"
        ) from error
    if not await has_namespace(client):
        raise NoNamespace(no_namespace(server.address, server.namespace))
    return client


def tls_config(server: TemporalEnv) -> TLSConfig | bool:
    """Return what TLS to use: none, plain TLS for API keys, or mTLS when a client certificate is given."""
    if not (server.client_cert or server.server_ca):
        return server.tls or bool(server.api_key)
    return TLSConfig(
        client_cert=_content(server.client_cert),
        client_private_key=_content(server.client_key),
        server_root_ca_cert=_content(server.server_ca),
    )


def _content(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace of a server, and the temporal.client entries that lead there; none: only the settings name it."""

    address: str
    namespace: str
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """A place as this process sees it. `message` says in words what is wrong, "" when nothing is.

    `is_away` is false for a server that answers, and has no such namespace; `has_keys` says whether runs have their
    business keys there.
    """

    place: Place
    version: str = ""
    message: str = ""
    is_away: bool = False
    has_keys: bool = True

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.message

    @property
    def embedded(self) -> bool:
        """Whether it is the server that `up` started."""
        return settings.TEMPORAL.embedded and self.place.address == settings.TEMPORAL_ADDRESS


class _Probe:
    """Asks the servers who they are; an answer serves for two seconds, so that no page waits in a queue for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[Place, Client] = {}
        self._known: list[Health] = []
        self._at = 0.0

    def all(self) -> list[Health]:
        """Fresh enough answers."""
        with self._lock:
            if not self._known or time.monotonic() - self._at > FRESH_SECONDS:
                self._known = temporal.run(self._ask_all(places()), timeout=None)
                self._at = time.monotonic()
                if any(each.is_away for each in self._known):
                    temporal.doubt()
            return self._known

    def known(self) -> list[Health]:
        """The last answers, unless they are old."""
        return self._known if time.monotonic() - self._at < LATELY_SECONDS else []

    async def _ask_all(self, wanted: list[Place]) -> list[Health]:
        return list(await asyncio.gather(*(self._ask(place) for place in wanted)))

    async def _ask(self, place: Place) -> Health:
        try:
            version, found, has_keys = await asyncio.wait_for(self._look(place), PATIENCE_SECONDS)
        except TimeoutError:
            return Health(place, message=f"It did not answer within {PATIENCE_SECONDS:g} seconds.", is_away=True)
        except RPCError as error:
            return Health(place, message=failures.from_exception(error).message, is_away=True)
        except Exception as error:
            return Health(place, message=str(error), is_away=not isinstance(error, NamespaceMissing | NoNamespace))
        message = "" if found else no_namespace(place.address, place.namespace)
        return Health(place, version, message, has_keys=has_keys or not found or not place.clients)

    async def _look(self, place: Place) -> tuple[str, bool, bool]:
        """The server's version, whether it has the namespace, and whether that takes business keys."""
        client = await self._client(place)
        answer = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        return answer.server_version, await has_namespace(client), await business_keys.is_taken(client)

    async def _client(self, place: Place) -> Client:
        """That of an entry, as runs use it; else one by the settings."""
        entry = temporal.catalog().entry(place.clients[0]) if place.clients else None
        if entry is not None:
            return await temporal.connected(entry)
        if place not in self._clients:
            self._clients[place] = await connect(settings.TEMPORAL)
        return self._clients[place]


_probe = _Probe()


def health() -> list[Health]:
    """How each place stands where runs may be, that of the settings first; takes 1.5 seconds at most."""
    return _probe.all()


def begin() -> None:
    """Ask beside something else: `health` waits for the answer, or has it."""
    threading.Thread(target=health, name="temporal-health", daemon=True).start()


def health_for(user: Any) -> list[Health]:
    """The same, without the names of clients that the user may not see."""
    return _for(user, health())


def known(user: Any) -> list[Health]:
    """What was answered lately, for pages that do not wait; nothing when this process did not ask for long."""
    return _for(user, _probe.known())


def _for(user: Any, found: list[Health]) -> list[Health]:
    scope = permissions.scope(user, permissions.VIEW_FLEET)
    return [replace(each, place=_seen(each.place, scope)) for each in found]


def _seen(place: Place, scope: Scope) -> Place:
    return replace(place, clients=tuple(each for each in place.clients if scope.covers(namespace_of(each))))


def places() -> list[Place]:
    """Where the clients of the registry's workers lead to, and what the settings name if none leads there."""
    ours = (settings.TEMPORAL_ADDRESS, settings.TEMPORAL_NAMESPACE)
    found: dict[tuple[str, str], list[str]] = {ours: []}
    for entry in _clients_in_use():
        found.setdefault(_place_of(entry), []).append(entry.id)
    return [Place(address, namespace, tuple(clients)) for (address, namespace), clients in found.items()]


def place_of(client_id: str) -> Place | None:
    """Where the runs of a client are; None when there is no such entry any more."""
    entry = temporal.catalog().entry(client_id)
    return Place(*_place_of(entry), (client_id,)) if entry is not None else None


def _place_of(entry: Entry) -> tuple[str, str]:
    """What an entry that can't be used would lead to is not known; its row under Services says what is wrong."""
    try:
        found = ClientSettings.read(entry, temporal.environ())
    except UnitFailed:
        return str(entry.data.get("address") or "?"), str(entry.data.get("namespace") or "?")
    return found.address, found.namespace


def _clients_in_use() -> list[Entry]:
    catalog = temporal.catalog()
    used = sorted({reference(worker, "client") for worker in catalog.entries(WORKER)})
    return [entry for name in used if (entry := catalog.entry(name)) is not None and entry.kind == CLIENT]
