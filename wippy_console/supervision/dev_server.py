"""The embedded Temporal: the official dev server on a database file of its own."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

BINARY = Path(sys.executable).with_name("temporal")
NAMESPACE = "default"
RETENTION = timedelta(days=30)


class FileInUse(Exception):
    """Another server has the database file open; the dev server itself would start on it without complaint."""


@dataclass(frozen=True)
class DevServer:
    """One dev server: its database file, its port on 127.0.0.1, and a namespace that it makes beside the default."""

    database: Path
    port: int
    namespace: str = NAMESPACE

    @property
    def address(self) -> str:
        """The host:port of its front end."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Return the command line. Its other ports (HTTP, metrics, internal ones) are free ones of its own choice.

        Measured: WAL triples the throughput of the default journal, and without the timer setting timers
        fire on whole seconds; `process.upgrade` of a run younger than a second waits the rest of it by default.
        A task that fails is tried again after 40 seconds at most, so that a run soon goes on once its cause is mended.
        """
        return [
            *(str(BINARY), "server", "start-dev", "--headless", "--log-level", "warn"),
            *("--ip", "127.0.0.1", "--port", str(self.port), "--db-filename", str(self.database)),
            *("--namespace", self.namespace),
            *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=FULL"),
            *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"'),
            *("--dynamic-config-value", 'history.workflowIdReuseMinimalInterval="10ms"'),
            *("--dynamic-config-value", 'history.workflowTaskRetryMaxInterval="30s"'),
        ]

    def lock(self) -> int:
        """Lock the database file and return the descriptor, which the server's process must inherit.

        The lock belongs to the open file, so it ends with the server and not with who started it.
        """
        descriptor = os.open(self.database.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise FileInUse(f"another Temporal server uses {self.database}") from None
        return descriptor


async def prepare(address: str, namespace: str = NAMESPACE, timeout: float = 30.0) -> None:
    """Wait until the server answers, then raise its retention; may be done at every start."""
    async with asyncio.timeout(timeout):
        client = await _connect(address)
        while not await _retention_raised(client, namespace):
            await asyncio.sleep(0.1)


async def _connect(address: str) -> Client:
    while True:
        try:
            return await Client.connect(address, namespace=NAMESPACE)
        except RuntimeError:  # what the SDK raises while nothing listens
            await asyncio.sleep(0.05)


async def _retention_raised(client: Client, namespace: str) -> bool:
    """Raise the retention; false while the server still makes the namespace."""
    retention = Duration()
    retention.FromTimedelta(RETENTION)
    request = UpdateNamespaceRequest(
        namespace=namespace, config=NamespaceConfig(workflow_execution_retention_ttl=retention)
    )
    try:
        await client.workflow_service.update_namespace(request)
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.UNAVAILABLE):
            return False
        raise
    return True
