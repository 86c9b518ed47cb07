"""A peer on this machine: answers as it is told, also wrongly, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Serve = Callable[["Sent", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Sent:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Peer:
    """Where it listens, and what came."""

    serve: Serve
    port: int = 0
    scheme: str = "http"
    sent: list[Sent] = field(default_factory=list)
    connections: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """A URL of it."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until its end."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while request := await _read(reader):
                self.sent.append(request)
                await self.serve(request, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Sent | None:
    line = (await reader.readline()).decode("latin-1").split()
    if len(line) < 2:
        return None
    headers: dict[str, str] = {}
    while (text := (await reader.readline()).decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Sent(line[0], line[1], headers, body)


@asynccontextmanager
async def peer(serve: Serve, *, context: ssl.SSLContext | None = None, path: str = "") -> AsyncIterator[Peer]:
    """A peer that listens on a port of its own, or on a Unix socket."""
    made = Peer(serve, scheme="https" if context else "http")
    if path:
        server = await asyncio.start_unix_server(made.handle, path)
    else:
        server = await asyncio.start_server(made.handle, "127.0.0.1", 0, ssl=context)
        made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)


def answer(body: bytes = b"", *, status: str = "200 OK", headers: dict[str, str] | None = None) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def always(data: bytes) -> Serve:
    """Answers every request by these bytes."""

    async def serve(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return serve
