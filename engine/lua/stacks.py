"""Where the coroutines of a unit stand, as `stacks.lua` tells it, together with what the host knows of their waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.lua.waits import WaitBook

MOST_COROUTINES = 500
"""So many are looked at besides the main one."""
MOST_ALIKE = 3
"""Of coroutines that stand at the same place so many are listed."""
ROOM = 40_000
"""Bytes of an answer after which values are no longer told."""
MOST_BYTES = 60_000
"""Bytes of an answer with its values; without them it is smaller."""

EMPTY: dict[str, Any] = {"total": 0, "looked": 0, "coroutines": [], "cut": False}


def read(text: str, book: WaitBook | None) -> dict[str, Any]:
    """What the Lua side wrote (a character a byte), each wait with the host's name, `since` and `deadline`; bounded."""
    told: dict[str, Any] = json.loads(text.encode("latin-1").decode("utf-8", "replace"))
    told["coroutines"] = sorted(told["coroutines"], key=_place)
    for wait in _waits(told):
        _complete(wait, book)
    return _fitting(told)


def _place(coroutine: dict[str, Any]) -> tuple[bool, list[Any]]:
    return not coroutine["main"], [(frame["entry"], frame["line"]) for frame in coroutine["frames"]]


def _waits(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for coroutine in told["coroutines"]:
        yield from coroutine["waits"]


def _complete(wait: dict[str, Any], book: WaitBook | None) -> None:
    if book is None:
        return
    seq, number = wait.get("seq"), wait.get("number")
    wait |= book.command(seq) if seq else book.channel(number) if number else {}


def _fitting(told: dict[str, Any]) -> dict[str, Any]:
    """The same within MOST_BYTES: values of many characters that are several bytes go first, then coroutines."""
    if _size(told) > MOST_BYTES:
        told["cut"] = True
        for coroutine in told["coroutines"]:
            for frame in coroutine["frames"]:
                frame.pop("locals", None)
                frame.pop("upvalues", None)
    while _size(told) > MOST_BYTES:
        del told["coroutines"][len(told["coroutines"]) // 2 :]
    return told


def _size(told: dict[str, Any]) -> int:
    return len(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))
