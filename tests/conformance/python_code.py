"""The Python functions of `entries/python/`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wippy_console.sdk import Context, NotFound, Unavailable


def add(ctx: Context, a: int, b: int) -> int:
    return a + b


async def add_later(ctx: Context, a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


def echo(ctx: Context, *values: Any) -> list[Any]:
    return list(values)


def who(ctx: Context) -> dict[str, Any]:
    return {
        "entry": ctx.entry,
        "pid": ctx.pid,
        "attempt": ctx.attempt,
        "key": ctx.idempotency_key,
        "in_run": ctx.run is not None,
        "actor": ctx.actor.id if ctx.actor else None,
        "context": dict(ctx.context),
    }


def refuses(ctx: Context) -> None:
    raise NotFound("no such order", details={"order": 7})


def breaks(ctx: Context) -> None:
    raise ValueError("broken")


def result(ctx: Context, name: str) -> Any:
    return {"set": {"tags": {1}}, "nan": {"items": [{"price": Decimal("NaN")}]}, "big": 2**63}[name]


def flaky(ctx: Context) -> dict[str, Any]:
    if ctx.attempt < 3:
        ctx.heartbeat({"key": ctx.idempotency_key})
        raise Unavailable("not yet")
    return {"attempt": ctx.attempt, "key": ctx.idempotency_key, "told": ctx.heartbeat_details}


@dataclass
class Line:
    """A line of an order."""

    price: Decimal
    pieces: int = 1


def total(ctx: Context, lines: list[Line]) -> Decimal:
    return sum((line.price * line.pieces for line in lines), Decimal())


def waits(ctx: Context) -> None:
    while True:
        time.sleep(0.01)
        ctx.check()


async def waits_later(ctx: Context) -> None:
    await asyncio.sleep(3600)
