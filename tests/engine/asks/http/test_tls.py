from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from engine.errors import INTERNAL
from tests.engine.asks.http.peer import always, answer, peer
from tests.engine.asks.http.stage import client
from tests.engine.hosts.temporal.proxies import Authority
from tests.patience import PATIENCE


def serving(authority: Authority, clients_of: Path | None = None) -> ssl.SSLContext:
    pair = authority.issue("peer", "peer.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    if clients_of:
        context.load_verify_locations(clients_of)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_a_client_shows_its_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    own, ca = authority.issue("client"), authority.ca.read_text()
    async with client() as unit, peer(always(answer(b"x")), context=serving(authority, authority.ca)) as there:
        tls = {"ca": ca, "cert": own.cert_pem, "key": own.key_pem}
        assert (await unit.get(there.url(), tls=tls))["body"] == b"x"
        assert (await unit.fails(there.url(), tls={"ca": ca})).kind == INTERNAL


async def test_a_certificate_of_nobody_or_of_another_host_is_not_believed(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    async with client() as unit, peer(always(answer(b"x")), context=serving(authority)) as there:
        for tls in (None, {"ca": other.ca.read_text()}, {"ca": authority.ca.read_text(), "server_name": "x.test"}):
            failure = await unit.fails(there.url(), tls=tls)
            assert "certificate is not valid" in failure.message and failure.retryable is False
        assert not there.sent


async def test_a_name_is_checked_though_the_address_was_chosen(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")

    async def here(name: str) -> list[str]:
        return ["127.0.0.1"]

    async with client(resolve=here) as unit, peer(always(answer(b"x")), context=serving(authority)) as there:
        tls = {"ca": authority.ca.read_text()}
        assert (await unit.get(there.url(host="peer.test"), tls=tls))["body"] == b"x"
        assert "certificate is not valid" in (await unit.fails(there.url(host="bank.test"), tls=tls)).message


async def test_trust_of_one_request_is_not_lent_to_the_next(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    async with client() as unit, peer(always(answer(b"x")), context=serving(authority)) as there:
        assert (await unit.get(there.url(), tls={"insecure_skip_verify": True}))["body"] == b"x"
        assert "certificate is not valid" in (await unit.fails(there.url())).message


async def test_a_peer_without_tls_costs_an_error() -> None:
    async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greets, "127.0.0.1", 0)
    async with client() as unit, server:
        failure = await unit.fails(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        assert failure.kind == INTERNAL and "TLS" in failure.message and "mail" not in failure.message


async def test_a_peer_that_says_nothing_to_tls_costs_the_timeout_and_no_connection() -> None:
    ended = asyncio.Event()

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # whatever bytes a handshake has, until the other side ends it
        writer.close()
        ended.set()

    server = await asyncio.start_server(listens, "127.0.0.1", 0)
    async with client() as unit, server:
        failure = await unit.fails(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", timeout=0.3)
        assert "timeout" in failure.message
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
