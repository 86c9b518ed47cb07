"""What stands before a real Temporal server in tests: TLS that asks for certificates, and a guard of API keys."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM and as files."""

    cert: Path
    key: Path

    @property
    def cert_pem(self) -> str:
        return self.cert.read_text()

    @property
    def key_pem(self) -> str:
        return self.key.read_text()


class Authority:
    """A certificate authority of the test's own; `ca` is its file."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *dns: str) -> Pair:
        """A certificate for 127.0.0.1 and those host names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.IPAddress(ip_address("127.0.0.1")), *(x509.DNSName(host) for host in dns)]
        builder = _builder(subject, self._name, key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.cert.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return pair


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFE)
        .not_valid_after(now + LIFE)
    )


@asynccontextmanager
async def tls_before(address: str, server: Pair, clients_of: Path | None = None) -> AsyncIterator[str]:
    """Take TLS off and pass it on to `address`; with `clients_of`, only for clients of that authority. The address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(server.cert, server.key)
    if clients_of is not None:
        context.load_verify_locations(clients_of)
        context.verify_mode = ssl.CERT_REQUIRED
    host, _, port = address.rpartition(":")
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, far_writer):
                each.transport.abort()

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    finally:
        proxy.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class KeyGuard:
    """Passes on the calls that bring a good key, and counts those that it refuses."""

    def __init__(self, channel: grpc.aio.Channel, *keys: str) -> None:
        self.refused = 0
        self.namespaces: set[str] = set()
        self._keys = set(keys)
        self._channel = channel
        self._open: set[asyncio.Task[bytes]] = set()

    def change(self, *keys: str) -> None:
        """Take these keys from now on; calls under way, long polls above all, are refused."""
        self._keys = set(keys)
        for task in self._open:
            task.cancel()

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """See grpc.GenericRpcHandler."""
        ahead: Any = self._channel.unary_unary(details.method)

        async def call(request: bytes, context: Any) -> bytes:
            brought = dict(context.invocation_metadata())
            self.namespaces.add(str(brought.get("temporal-namespace", "")))
            if brought.get("authorization") not in {f"Bearer {key}" for key in self._keys}:
                await self._refuse(context)
            return await self._passed_on(ahead, request, brought, context)

        return grpc.unary_unary_rpc_method_handler(call)

    async def _passed_on(self, ahead: Any, request: bytes, brought: Mapping[str, Any], context: Any) -> bytes:
        kept = [(name, value) for name, value in brought.items() if name.startswith(("temporal", "client-"))]
        # A long poll without a deadline is refused by the server.
        call = ahead(request, metadata=kept, timeout=context.time_remaining())
        task = asyncio.ensure_future(_answer(call))
        self._open.add(task)
        try:
            await asyncio.wait([task])
            if task.cancelled():
                await self._refuse(context)
            return task.result()
        except grpc.aio.AioRpcError as error:
            trailing = tuple((k, v) for k, v in error.trailing_metadata() or () if k == "grpc-status-details-bin")
            await context.abort(error.code(), error.details() or "", trailing)
            raise AssertionError("abort raises") from error
        finally:
            task.cancel()
            self._open.discard(task)

    async def _refuse(self, context: Any) -> None:
        self.refused += 1
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the API key is not valid")


async def _answer(call: Any) -> bytes:
    answer: bytes = await call
    return answer


@asynccontextmanager
async def guard_before(address: str, server: Pair | None, *keys: str) -> AsyncIterator[tuple[str, KeyGuard]]:
    """Let through who brings one of the keys, over TLS when there is a certificate. The address, and the guard."""
    async with grpc.aio.insecure_channel(address) as channel:
        guard = KeyGuard(channel, *keys)
        proxy = grpc.aio.server()
        proxy.add_generic_rpc_handlers((guard,))  # type: ignore[arg-type]
        if server is None:
            port = proxy.add_insecure_port("127.0.0.1:0")
        else:
            pair = (server.key.read_bytes(), server.cert.read_bytes())
            port = proxy.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
        await proxy.start()
        try:
            yield f"127.0.0.1:{port}", guard
        finally:
            await proxy.stop(0)
