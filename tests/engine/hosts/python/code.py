"""Functions that tests call."""

from __future__ import annotations

import asyncio
import math
import threading
import time
import weakref
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from wippy_console.sdk import errors
from wippy_console.sdk.context import Context

seen: list[Any] = []
release = threading.Event()


def add(ctx: Context, a: int, b: int = 10) -> int:
    return a + b


async def add_later(ctx: Context, a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


class Calm:
    def __call__(self, ctx: Context) -> str:
        return "calm"


calm = Calm()


def who(ctx: Context) -> dict[str, Any]:
    actor = ctx.actor
    return {
        "entry": ctx.entry,
        "pid": ctx.pid,
        "attempt": ctx.attempt,
        "key": ctx.idempotency_key,
        "run": ctx.run and ctx.run.workflow_id,
        "deadline": ctx.deadline,
        "actor": actor and actor.id,
        "context": dict(ctx.context),
    }


def key(ctx: Context, *args: Any) -> str:
    return ctx.idempotency_key


def refuses_again(ctx: Context) -> None:
    seen.append(ctx.idempotency_key)
    raise errors.Unavailable("not yet")


def _gathers() -> None:
    gathered = Calm()
    seen.append(weakref.ref(gathered))
    raise ValueError("too much")


def gathers(ctx: Context) -> None:
    _gathers()


async def gathers_later(ctx: Context) -> None:
    await asyncio.sleep(0)
    _gathers()


def fails_twice(ctx: Context) -> list[Any]:
    seen.append((ctx.attempt, ctx.idempotency_key, ctx.heartbeat_details))
    if ctx.attempt < 3:
        ctx.heartbeat({"at": ctx.attempt})
        raise errors.Unavailable("not yet")
    return [ctx.attempt, ctx.heartbeat_details]


def refuses(ctx: Context) -> None:
    raise errors.NotFound("no such order", details={"order": 7})


def breaks(ctx: Context) -> None:
    inner()


def inner() -> None:
    raise ValueError("broken inside")


def exits(ctx: Context) -> None:
    raise SystemExit(3)


def waits(ctx: Context) -> str:
    """Heeds a wish to stop."""
    seen.append("began")
    while True:
        time.sleep(0.005)
        ctx.check()


def ignores(ctx: Context) -> str:
    """Heeds none, and catches what it can."""
    seen.append("began")
    while not release.is_set():
        try:
            time.sleep(0.005)
        except Exception:
            seen.append("caught")
    return "released"


def hangs(ctx: Context) -> str:
    """Waits within C code."""
    seen.append("began")
    release.wait()
    return "released"


async def sleeps(ctx: Context) -> None:
    seen.append("began")
    try:
        await asyncio.sleep(3600)
    finally:
        seen.append("ended")


async def blocks(ctx: Context) -> str:
    """Blocks the loop with Python code."""
    seen.append("began")
    while not release.is_set():
        time.sleep(0.005)
    return "released"


def late(ctx: Context) -> Any:
    async def value() -> int:
        return 1

    return value()


class Color(Enum):
    RED = "red"
    DARK = 2


@dataclass
class Item:
    name: str
    price: Decimal
    tags: list[str] = field(default_factory=list)


@dataclass
class Order:
    id: UUID
    items: list[Item]
    on: date | None = None
    color: Color = Color.RED


def typed(ctx: Context, order: Order, factor: Decimal = Decimal(1)) -> Order:
    assert isinstance(order, Order)
    for item in order.items:
        item.price *= factor
    return order


def rest(ctx: Context, *prices: Decimal) -> str:
    return str(sum(prices, Decimal()))


RESULTS: dict[str, Any] = {
    "plain": {"a": [1, 2.5, "x", None, True], "t": (1, 2)},
    "times": {"at": datetime(2026, 1, 2, tzinfo=UTC), "on": date(2026, 1, 2), "color": Color.DARK, "red": Color.RED},
    "decimal": Decimal("10.50"),
    "bytes": b"\xff\x00",
    "nan": {"items": [{"price": Decimal("NaN")}]},
    "inf": [math.inf],
    "big": {"n": 2**63},
    "set": {"tags": {1}},
    "key": {"a": {1: 2}},
    "object": [object()],
    "huge": "x" * (9 << 20),
}
RESULTS["cyclic"] = []
RESULTS["cyclic"].append(RESULTS["cyclic"])


def result(ctx: Context, name: str) -> Any:
    return RESULTS[name]


def stays(ctx: Context) -> list[Any]:
    """Stays until its second try, which says what it knows of the first."""
    if ctx.attempt > 1:
        return [ctx.attempt, ctx.idempotency_key, ctx.heartbeat_details]
    ctx.heartbeat({"key": ctx.idempotency_key})
    while True:
        time.sleep(0.01)
        ctx.check()


def tells_stop(ctx: Context) -> None:
    """Writes down that it was asked to stop."""
    seen.append("began")
    while not ctx.canceled:
        time.sleep(0.005)
    seen.append("stopped")
    ctx.check()


@dataclass
class Line:
    name: str = ""
    pieces: int = 0
    weight: float = 0.0
    sent: bool = False


def plain_line(ctx: Context, line: Line) -> Line:
    return line
