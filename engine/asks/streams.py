"""What units read piece by piece, by the number under which they hold it (`engine/lua/kernel/stream.lua`)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.contracts.operation import Asker, Operation
from engine.errors import UnitFailed, invalid
from engine.steps import Value

STREAM = "stream"
DEFAULT_READ, MAX_READ = 32 << 10, 1 << 20


class Stream:
    """A handle that can be read, whatever module opened it."""

    async def read(self, count: int) -> bytes:
        """At most so many bytes, b"" at the end; UnitFailed."""
        raise NotImplementedError

    async def close(self) -> None:
        """Read no more."""
        raise NotImplementedError


def stream_operations() -> Mapping[str, Operation]:
    """Those of every module that opens streams: the same ones, by name."""
    return {
        "stream.read": Operation(_read, lambda _: "read a stream"),
        "stream.close": Operation(_close, lambda _: "close a stream"),
    }


def read_count(value: Value) -> int:
    """How many bytes a read asks for: nil and 0 stand for the default, more than a mebibyte for that."""
    if value is None or value == 0:
        return DEFAULT_READ
    return min(whole(value, "read: size"), MAX_READ)


def whole(value: Value, what: str) -> int:
    """A number of bytes; Invalid."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf or value % 1:
        raise UnitFailed(invalid(f"{what} must be a whole number of bytes"))
    return int(value)


async def _read(asker: Asker, args: tuple[Value, ...]) -> Value:
    """(handle, size) -> bytes, None at the end."""
    stream = asker.holdings.get(args[0], Stream, STREAM)
    return await stream.read(read_count(args[1] if len(args) > 1 else None)) or None


async def _close(asker: Asker, args: tuple[Value, ...]) -> Value:
    """(handle) -> True."""
    await asker.holdings.drop(args[0])
    return True
