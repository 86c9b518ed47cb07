"""A way to a server that can be held: connections stay open and accepted, and nothing comes through."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Way:
    """Passes bytes on to `address` in a thread of its own; while held, those of both sides wait."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._there = host, int(port)
        self._loop = asyncio.new_event_loop()
        self._free = asyncio.Event()
        self._free.set()
        self.address = ""

    def hold(self) -> None:
        """Let nothing through."""
        self._loop.call_soon_threadsafe(self._free.clear)

    def release(self) -> None:
        """Let through what waits, and all that comes."""
        self._loop.call_soon_threadsafe(self._free.set)

    def run(self, listens: threading.Event) -> None:
        """Serve until `stop`."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        listens.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        """End it and all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._there)
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, far_writer):
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._free.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@contextmanager
def way_to(address: str) -> Iterator[Way]:
    """A way that is open, until it is held."""
    way, listens = Way(address), threading.Event()
    thread = threading.Thread(target=way.run, args=[listens], name="way", daemon=True)
    thread.start()
    listens.wait()
    try:
        yield way
    finally:
        way.stop()
        thread.join()
