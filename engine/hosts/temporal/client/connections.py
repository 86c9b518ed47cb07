"""Temporal clients of `temporal.client` entries (docs/temporal.md#connecting), one connection for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import KeepAliveConfig, RPCError, RPCStatusCode, TLSConfig

from engine.durations import MILLISECOND, option_duration
from engine.entry import Entry
from engine.errors import UNAVAILABLE, Failure, UnitFailed, invalid
from engine.hosts.temporal.wire.interceptors import ClientHeaders
from engine.hosts.temporal.wire.outages import in_words
from engine.registry.placeholders import filled

ADDRESS_VARIABLE, NAMESPACE_VARIABLE = "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"
DEFAULT_NAMESPACE = "default"

logger = logging.getLogger(__name__)

KEEP_ALIVE = KeepAliveConfig(interval_millis=30_000, timeout_millis=10_000)


class NamespaceMissing(UnitFailed):
    """The server answers, and has no such namespace (yet)."""


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS as an entry wants it; None means the system's authorities, the address's name, no certificate of ours."""

    server_root_ca_cert: bytes | None = None
    domain: str | None = None
    client_cert: bytes | None = None
    client_private_key: bytes | None = None

    def config(self) -> TLSConfig:
        """As the SDK takes it. Its own class has no hash, by which connections are shared."""
        return TLSConfig(
            server_root_ca_cert=self.server_root_ca_cert,
            domain=self.domain,
            client_cert=self.client_cert,
            client_private_key=self.client_private_key,
        )


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How to reach a Temporal service."""

    address: str
    namespace: str = DEFAULT_NAMESPACE
    api_key: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    connect_timeout: timedelta = timedelta(seconds=10)
    keep_alive: KeepAliveConfig = KEEP_ALIVE

    @classmethod
    def read(cls, entry: Entry, environ: Mapping[str, str]) -> ClientSettings:
        """The settings of an entry, `${env:NAME}` filled in from `environ`; raises UnitFailed (Invalid).

        Without an address or a namespace of its own the entry uses `TEMPORAL_ADDRESS` and `TEMPORAL_NAMESPACE` of the
        environment.
        """
        data = filled(entry.data, environ, missing="")
        address = data.get("address") or environ.get(ADDRESS_VARIABLE)
        if not address:
            raise UnitFailed(invalid(f"client '{entry.id}' has no address, and {ADDRESS_VARIABLE} is not set"))
        auth, tls = data.get("auth") or {}, data.get("tls") or {}
        return cls(
            address=str(address),
            namespace=str(data.get("namespace") or environ.get(NAMESPACE_VARIABLE) or DEFAULT_NAMESPACE),
            api_key=_api_key(entry, auth, environ),
            tls=_tls(entry, tls, auth) if _wants_tls(entry, tls, auth) else None,
            connect_timeout=timedelta(milliseconds=_milliseconds(entry, data, "connection_timeout", 10_000)),
            keep_alive=KeepAliveConfig(
                interval_millis=_milliseconds(entry, data, "keep_alive_time", 30_000),
                timeout_millis=_milliseconds(entry, data, "keep_alive_timeout", 10_000),
            ),
        )


class Clients:
    """Connects once per set of settings; `environ` is given by whoever may read the environment."""

    def __init__(self, environ: Mapping[str, str], identity: str | None = None) -> None:
        self._environ = environ
        self._identity = identity
        self._connected: dict[ClientSettings, Client] = {}
        self._settings: dict[str, ClientSettings] = {}
        self._locks: dict[ClientSettings, asyncio.Lock] = {}

    async def of(self, entry: Entry) -> Client:
        """The client of a `temporal.client` entry; UnitFailed: Invalid settings, or Unavailable."""
        settings = ClientSettings.read(entry, self._environ)
        self._forget(self._settings.get(entry.id), entry.id, settings)
        # One lock for each server: one that is away keeps nobody else waiting.
        async with self._locks.setdefault(settings, asyncio.Lock()):
            if settings not in self._connected:
                self._connected[settings] = await connect(settings, self._identity)
            return self._connected[settings]

    def _forget(self, old: ClientSettings | None, entry_id: str, new: ClientSettings) -> None:
        """Drop the connection of settings that no entry has any more, as of a key that was replaced."""
        self._settings[entry_id] = new
        if old is not None and old not in self._settings.values():
            self._connected.pop(old, None)
            self._locks.pop(old, None)

    async def another(self, entry: Entry) -> Client:
        """A connection of its own, for workers: the SDK refuses two workers of a queue on one, even while one ends."""
        return await connect(ClientSettings.read(entry, self._environ), self._identity)


async def connect(settings: ClientSettings, identity: str | None = None) -> Client:
    """Connect; raises UnitFailed (Unavailable) when nobody answers in time, or the namespace does not exist (yet)."""
    try:
        return await asyncio.wait_for(_connected(settings, identity), settings.connect_timeout.total_seconds())
    except (RuntimeError, TimeoutError) as error:
        raise UnitFailed(Failure(UNAVAILABLE, unreachable(settings.address, error), retryable=True)) from error


async def _connected(settings: ClientSettings, identity: str | None) -> Client:
    client = await Client.connect(
        settings.address,
        namespace=settings.namespace,
        api_key=settings.api_key,
        tls=settings.tls.config() if settings.tls is not None else False,
        keep_alive_config=settings.keep_alive,
        interceptors=[ClientHeaders()],
        identity=identity,
    )
    if not await has_namespace(client):
        raise NamespaceMissing(Failure(UNAVAILABLE, no_namespace(settings.address, settings.namespace), retryable=True))
    return client


def named(client: Client, identity: str) -> Client:
    """The same connection, for requests that histories record as those of `identity`."""
    service = copy(client.service_client)  # its calls go on by the one that is connected
    service.config = replace(service.config, identity=identity)
    config = client.config()
    config["service_client"] = service
    return Client(**config)


async def has_namespace(client: Client) -> bool:
    """Whether the client's namespace exists. Who may not ask is believed: the SDK connects to any name."""
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        return error.status != RPCStatusCode.NOT_FOUND
    return True


def no_namespace(address: str, namespace: str) -> str:
    """What is wrong with a namespace that does not exist, and what to do."""
    return (
        f"Temporal at {address} has no namespace '{namespace}': create it "
        f"(temporal operator namespace create -n {namespace}), or correct the `namespace` of the temporal.client "
        f"entry, or {NAMESPACE_VARIABLE} where that has none"
    )


def unreachable(address: str, error: BaseException) -> str:
    """Why no connection to it could be made, in words; the log has what the SDK's core says."""
    logger.warning("no connection to Temporal at %s: %s", address, brief(error) or "timed out")
    return f"Temporal at {address} {in_words(brief(error) or 'timed out')}"


def brief(error: BaseException) -> str:
    """What the SDK's core says, without the stack of its own that it appends."""
    return " ".join(str(error).partition("Stack backtrace:")[0].split())


def health_interval(entry: Entry) -> timedelta | None:
    """How often to ask for the server's health, or None when the entry does not want it; raises Invalid."""
    check = entry.data.get("health_check")
    if not isinstance(check, Mapping) or not check.get("enabled"):
        return None
    return timedelta(milliseconds=_milliseconds(entry, check, "interval", 30_000))


def _api_key(entry: Entry, auth: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    if auth.get("type") != "api_key":
        return None
    if auth.get("api_key_file"):
        return _file(entry, str(auth["api_key_file"])).decode().strip()
    key = auth.get("api_key") or environ.get(str(auth.get("value_from_env") or ""))
    if not key:
        raise UnitFailed(invalid(f"client '{entry.id}' wants an API key and has none"))
    return str(key)


def _wants_tls(entry: Entry, tls: Mapping[str, Any], auth: Mapping[str, Any]) -> bool:
    """Whether to use TLS: as the entry says, and else whenever it has to do with keys or certificates."""
    mtls = auth.get("type") == "mtls"
    if tls.get("enabled") is None:
        return bool(tls) or mtls or auth.get("type") == "api_key"
    if mtls and not tls["enabled"]:
        raise UnitFailed(invalid(f"client '{entry.id}': auth.type mtls and tls.enabled false contradict each other"))
    return bool(tls["enabled"])


def _tls(entry: Entry, tls: Mapping[str, Any], auth: Mapping[str, Any]) -> Tls:
    mtls = auth.get("type") == "mtls"
    if tls.get("insecure_skip_verify"):
        raise UnitFailed(invalid(f"client '{entry.id}': tls.insecure_skip_verify is not supported, give a ca_file"))
    return Tls(
        server_root_ca_cert=_file(entry, str(tls["ca_file"])) if tls.get("ca_file") else None,
        domain=tls.get("server_name") or None,
        client_cert=_pem(entry, auth, "cert") if mtls else None,
        client_private_key=_pem(entry, auth, "key") if mtls else None,
    )


def _pem(entry: Entry, auth: Mapping[str, Any], name: str) -> bytes:
    if auth.get(f"{name}_pem"):
        return str(auth[f"{name}_pem"]).encode()
    if auth.get(f"{name}_file"):
        return _file(entry, str(auth[f"{name}_file"]))
    raise UnitFailed(invalid(f"client '{entry.id}': mtls needs auth.{name}_file or auth.{name}_pem"))


def _file(entry: Entry, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UnitFailed(invalid(f"client '{entry.id}': {error}")) from error


def _milliseconds(entry: Entry, data: Mapping[str, Any], name: str, default: int) -> int:
    if data.get(name) is None:
        return default
    nanoseconds = option_duration(data[name])
    if nanoseconds is None or nanoseconds <= 0:
        raise UnitFailed(invalid(f"client '{entry.id}': {name} must be a duration, not {data[name]!r}"))
    return max(1, nanoseconds // MILLISECOND)
