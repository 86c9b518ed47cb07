"""The HTTP server that cases and examples talk to: says what it was sent, redirects, streams, or keeps silent."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tests.engine.asks.http.peer import Sent, answer, peer
from tests.engine.hosts.temporal.proxies import Authority

LINES = b"one\ntwo words\r\nthr\xc3\xa9e"


@asynccontextmanager
async def peers(folder: Path) -> AsyncIterator[dict[str, str]]:
    """What the environment says of them: plain, and with TLS of an authority of their own."""
    authority = Authority(folder, "peer-ca")
    pair = authority.issue("peer", "peer.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    async with peer(serve) as plain, peer(serve, context=context) as safe:
        address = plain.url("")
        yield {
            "CONF_HTTP": address,
            "CONF_HTTPS": safe.url(""),
            "CONF_CA": authority.ca.read_text(),
            "ORDERS_API": address,
        }


async def serve(request: Sent, writer: asyncio.StreamWriter) -> None:
    """By the first part of the path."""
    target = urlsplit(request.target)
    kind, _, rest = target.path.lstrip("/").partition("/")
    if kind == "silent":
        await asyncio.sleep(3600)
    away = f"http://localhost:{request.headers['host'].rpartition(':')[2]}/{rest}"
    found: dict[str, Callable[[], bytes]] = {
        "status": lambda: answer(b"so it is", status=f"{rest} Said"),
        "redirect": lambda: _redirect("302 Found", f"/{rest}"),
        "keep": lambda: _redirect("307 Temporary Redirect", f"/{rest}"),
        "away": lambda: _redirect("302 Found", away),
        "inside": lambda: _redirect("302 Found", "http://169.254.169.254/latest/"),
        "large": lambda: answer(b"x" * (1 << 20)),
        "packed": lambda: answer(gzip.compress(b"packed " * 1000), headers={"Content-Encoding": "gzip"}),
        "lines": lambda: answer(LINES, headers={"Content-Type": "text/plain"}),
    }
    writer.write(found.get(kind, lambda: _echo(request, target.path, target.query))())


def _redirect(status: str, location: str) -> bytes:
    return answer(status=status, headers={"Location": location})


def _echo(request: Sent, path: str, query: str) -> bytes:
    said = {
        "method": request.method,
        "path": path,
        "query": dict(parse_qsl(query)),
        "headers": request.headers,
        "body": request.body.decode("latin-1"),
    }
    body = b"" if request.method == "HEAD" else json.dumps(said).encode()
    return answer(body, headers={"Content-Type": "application/json", "Set-Cookie": "seen=yes; Path=/"})
