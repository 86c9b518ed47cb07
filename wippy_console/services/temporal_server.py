"""The Temporal server of the settings: connecting to it, and whether it answers."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client, TLSConfig

from wippy_console.env import TemporalEnv
from wippy_console.services import temporal
from wippy_console.services.errors import Refused

FRESH_SECONDS = 2.0
PATIENCE_SECONDS = 1.5


class Unreachable(Exception):
    """The given Temporal does not answer, or not to us."""


async def connect(server: TemporalEnv) -> Client:
    """Connect with the credentials of the environment; Unreachable says what to check."""
    try:
        return await Client.connect(
            server.address,
            namespace=server.namespace,
            api_key=server.api_key or None,
            tls=tls_config(server),
        )
    except (RuntimeError, OSError) as error:
        raise Unreachable(
            f"no Temporal at {server.address} (TEMPORAL_ADDRESS): {error}; start it, correct the address, "
            "or unset TEMPORAL_ADDRESS to use the embedded server"
        ) from error


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
class Health:
    """Temporal as this process sees it. `message` says in words what is wrong, "" when nothing is."""

    ok: bool
    address: str
    version: str
    namespace: str
    message: str
    embedded: bool


class _Probe:
    """Asks the server who it is; an answer serves for two seconds, so that no page waits in a queue for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._health: Health | None = None
        self._at = 0.0

    def health(self) -> Health:
        """A fresh enough answer."""
        with self._lock:
            if self._health is None or time.monotonic() - self._at > FRESH_SECONDS:
                self._health = self._ask()
                self._at = time.monotonic()
            return self._health

    def _ask(self) -> Health:
        try:
            version = temporal.run(self._version(), PATIENCE_SECONDS)
        except (Refused, Unreachable) as error:
            return _health(message=str(error))
        except Exception as error:
            return _health(message=f"Temporal does not answer: {error}")
        return _health(version=version)

    async def _version(self) -> str:
        if self._client is None:
            self._client = await connect(settings.TEMPORAL)
        answer = await self._client.workflow_service.get_system_info(GetSystemInfoRequest())
        return answer.server_version


def _health(version: str = "", message: str = "") -> Health:
    return Health(
        ok=not message,
        address=settings.TEMPORAL_ADDRESS,
        version=version,
        namespace=settings.TEMPORAL_NAMESPACE,
        message=message,
        embedded=settings.TEMPORAL.embedded,
    )


_probe = _Probe()


def health() -> Health:
    """How the server of the settings stands; takes 1.5 seconds at most."""
    return _probe.health()
