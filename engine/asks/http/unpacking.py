"""Bodies that are packed: unpacked a piece at a time, so that a small one can't become a large one at once."""

from __future__ import annotations

import zlib
from typing import Protocol

MOST = 64 << 10


class Unpacker(Protocol):
    """Takes what is sent, gives what it stands for; `wants` says whether it can go on only with more."""

    @property
    def wants(self) -> bool:
        """Whether nothing more comes of what was fed."""
        ...

    def feed(self, data: bytes) -> None:
        """Take what is sent."""
        ...

    def take(self) -> bytes:
        """At most `MOST` bytes of what it stands for; zlib.error."""
        ...


class Plain:
    """What is not packed."""

    def __init__(self) -> None:
        self._data = b""

    @property
    def wants(self) -> bool:
        """Whether all was taken."""
        return not self._data

    def feed(self, data: bytes) -> None:
        """Take what is sent."""
        self._data += data

    def take(self) -> bytes:
        """All of it: what the network gives at once is not much."""
        data, self._data = self._data, b""
        return data


class Deflated:
    """gzip, also of several members, and deflate with or without a head."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._inner = zlib.decompressobj(wbits)
        self._began = False
        self._waiting = b""
        self._full = False

    @property
    def wants(self) -> bool:
        """Whether all was unpacked that came; after a full piece zlib may hold more without any input left."""
        return not self._waiting and not self._full

    def feed(self, data: bytes) -> None:
        """Take what is sent."""
        self._waiting += data

    def take(self) -> bytes:
        """At most `MOST` bytes."""
        if self._inner.eof:
            self._inner = zlib.decompressobj(self._wbits)
        try:
            found = self._inner.decompress(self._waiting, MOST)
        except zlib.error:
            if self._began or self._wbits != zlib.MAX_WBITS:
                raise
            self._wbits = -zlib.MAX_WBITS  # some servers send deflate without its head
            self._inner = zlib.decompressobj(self._wbits)
            found = self._inner.decompress(self._waiting, MOST)
        self._began, self._full = True, len(found) == MOST
        self._waiting = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail
        return found


def unpacker(encoding: str) -> Unpacker | None:
    """For a Content-Encoding; None when it is not known, and the body stays as it is."""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return Deflated(16 + zlib.MAX_WBITS)
        case "deflate":
            return Deflated(zlib.MAX_WBITS)
        case _:
            return None
