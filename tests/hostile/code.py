"""Python functions that behave badly."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from wippy_console.sdk.context import Context

began = threading.Event()
release = threading.Event()
left: set[asyncio.Future[None]] = set()


class Unspeakable(Exception):
    """An error that can't be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Deaf(BaseException):
    """What `except Exception` does not hear."""


class Endless(Mapping[str, int]):
    """A mapping without end."""

    def __getitem__(self, key: str) -> int:
        return 1

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        n = 0
        while True:
            n += 1
            yield str(n)


class Trap:
    """Nothing may be asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("a trap")


def leaves(ctx: Context) -> NoReturn:
    sys.exit(3)


def interrupts(ctx: Context) -> NoReturn:
    raise KeyboardInterrupt


def is_deaf(ctx: Context) -> NoReturn:
    raise Deaf


def can_not_say(ctx: Context) -> NoReturn:
    raise Unspeakable


def gives_up(ctx: Context) -> NoReturn:
    raise GeneratorExit


def cancels(ctx: Context) -> NoReturn:
    raise asyncio.CancelledError


def recurses(ctx: Context) -> Any:
    return recurses(ctx)


def says_much(ctx: Context) -> NoReturn:
    raise ValueError("x" * (64 << 20))


def returns_much(ctx: Context) -> str:
    return "x" * (64 << 20)


def returns_many(ctx: Context) -> list[int]:
    return [0] * 3_000_000


def returns_itself(ctx: Context) -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def returns_depth(ctx: Context) -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


def returns_endless(ctx: Context) -> Any:
    return Endless()


def returns_a_trap(ctx: Context) -> Any:
    return {"order": Trap()}


def returns_a_coroutine(ctx: Context) -> Any:
    return iter([1])


async def async_leaves(ctx: Context) -> NoReturn:
    sys.exit(3)


async def async_interrupts(ctx: Context) -> NoReturn:
    raise KeyboardInterrupt


async def async_cancels(ctx: Context) -> NoReturn:
    raise asyncio.CancelledError


async def stops_the_loop(ctx: Context) -> None:
    asyncio.get_running_loop().stop()


async def leaves_tasks(ctx: Context) -> str:
    left.update(asyncio.ensure_future(asyncio.sleep(0)) for _ in range(1000))
    return "left"


async def ends_others(ctx: Context) -> str:
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    return "ended"


async def well(ctx: Context) -> str:
    await asyncio.sleep(0)
    return "well"


def sync_well(ctx: Context) -> str:
    return "well"


def hangs(ctx: Context) -> None:
    began.set()
    release.wait()


def spins(ctx: Context) -> None:
    began.set()
    while not release.is_set():
        pass


def swallows(ctx: Context) -> None:
    began.set()
    while not release.is_set():
        try:
            time.sleep(0.001)
        except BaseException:
            continue
