"""A server that does to its clients what the path of their request says, on a loop and a thread of its own."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

Result = TypeVar("Result")

HEAD = b"HTTP/1.1 200 OK\r\n"
KIB = b"x" * 1024
PAUSE = 0.01
"""Seconds between two crumbs."""


class Peer:
    """`open` counts its connections, `seen` the requests by path."""

    def __init__(self) -> None:
        self.open = 0
        self.seen: Counter[str] = Counter()
        self.port = 0
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="peer", daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self.port = self.listen()

    def listen(self, certificate: ssl.SSLContext | None = None) -> int:
        """The port of one more listener."""
        return self._run(self._listen(certificate))

    def stop(self) -> None:
        """End all of it."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, certificate: ssl.SSLContext | None) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=certificate)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ValueError, asyncio.CancelledError):
                while line := await reader.readline():
                    path = line.split()[1].decode().partition("?")[0]
                    while (await reader.readline()).strip():
                        pass
                    self.seen[path] += 1
                    await getattr(self, path.strip("/"))(reader, writer)
                    await writer.drain()
        finally:
            self.open -= 1
            writer.close()

    # --- what paths do ------------------------------------------------------------------------------

    async def good(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer."""
        writer.write(HEAD + b"Content-Length: 4\r\n\r\ngood")

    async def hung(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say nothing, until the client goes."""
        await reader.read()

    async def crumbs(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A head that never ends, byte by byte."""
        writer.write(HEAD + b"X-Long: ")
        await self._for_ever(writer, b"x", PAUSE)

    async def endless_line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A header without end."""
        writer.write(HEAD + b"X-Long: ")
        await self._for_ever(writer, KIB)

    async def endless_headers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Headers without end."""
        writer.write(HEAD)
        await self._for_ever(writer, b"X: y\r\n" * 100)

    async def many_headers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Ten thousand of them, and an answer."""
        writer.write(HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"Content-Length: 0\r\n\r\n")

    async def endless_body(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A body without end or length."""
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        await self._for_ever(writer, b"400\r\n" + KIB + b"\r\n")

    async def endless_chunk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The length of a chunk, whose digits do not end."""
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        await self._for_ever(writer, b"0" * 1024)

    async def tiny_chunks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A body of one byte at a time."""
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        await self._for_ever(writer, b"1\r\nx\r\n" * 200)

    async def bomb(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A gigabyte of nothing, packed a thousandfold."""
        packed = gzip.compress(bytes(16 << 20)) * 64
        writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)

    async def lying(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Less than was promised."""
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\nshort")
        await writer.drain()
        writer.transport.abort()

    async def garbage(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """No HTTP."""
        writer.write(b"\x00\xff\x16\x03" * 100 + b"\r\n\r\n")
        writer.close()

    async def gone(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Nobody is there any more."""
        writer.transport.abort()

    async def circle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Go where you came from."""
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /circle\r\nContent-Length: 0\r\n\r\n")

    async def inside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Go where machines of a cloud tell their secrets."""
        writer.write(
            b"HTTP/1.1 307 Temporary\r\nLocation: http://169.254.169.254/latest/meta-data\r\nContent-Length: 0\r\n\r\n"
        )

    async def informed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Soon, soon, soon."""
        await self._for_ever(writer, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")

    async def _for_ever(self, writer: asyncio.StreamWriter, data: bytes, pause: float = 0) -> None:
        while not writer.is_closing():
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(pause)


@contextmanager
def peer() -> Iterator[Peer]:
    """One that listens, until the end of the block."""
    it = Peer()
    it.start()
    try:
        yield it
    finally:
        it.stop()
