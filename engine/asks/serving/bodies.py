"""Bodies of requests as functions read them: by streams over what is there, and as forms."""

from __future__ import annotations

from collections.abc import Iterable

from engine.asks.serving.exchange import Exchange
from engine.asks.serving.failures import unread
from engine.asks.serving.multipart import Part
from engine.asks.streams import Stream
from engine.steps import Value


class Bytes(Stream):
    """A stretch of a body, as long as the request is not answered."""

    def __init__(self, exchange: Exchange, start: int, end: int) -> None:
        self._exchange = exchange
        self._at = start
        self._end = end
        self.size = end - start

    async def read(self, count: int) -> bytes:
        """The next bytes."""
        if self._exchange.is_over:
            raise unread()
        at, self._at = self._at, min(self._at + count, self._end)
        return self._exchange.request.body[at : self._at]

    async def close(self) -> None:
        """Nothing is held but the request."""


def form_of(parts: Iterable[Part], body: bytes) -> Value:
    """{values, files} for the kernel: a value that is there several times is a list; a file is where its content is."""
    values: dict[str, list[Value]] = {}
    files: dict[str, list[Value]] = {}
    for part in parts:
        if part.filename:
            files.setdefault(part.name, []).append(_file(part))
        else:
            values.setdefault(part.name, []).append(body[part.start : part.end])
    return {"values": {name: found if len(found) > 1 else found[0] for name, found in values.items()}, "files": files}


def _file(part: Part) -> Value:
    return {"name": part.filename, "headers": dict(part.headers), "start": part.start, "end": part.end}
