from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from engine.asks.http.resolver import OF_ONE_UNIT, SystemResolver, asker
from tests.patience import PATIENCE


async def test_names_that_nobody_answers_for_keep_no_other_unit_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, asked = threading.Event(), threading.Semaphore(0)

    def slow(name: str, *args: Any, **options: Any) -> list[Any]:
        if name.startswith("slow"):
            asked.release()
            go_on.wait(PATIENCE)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    resolver = SystemResolver()
    asker.set("greedy")
    waiting = [asyncio.ensure_future(resolver(f"slow{number}")) for number in range(50)]
    for _ in range(OF_ONE_UNIT):
        await asyncio.to_thread(asked.acquire, timeout=PATIENCE)
    waiting[0].cancel()  # its thread waits still, and counts
    asker.set("neighbour")
    assert await asyncio.wait_for(resolver("fast"), PATIENCE) == ["127.0.0.1"]
    assert not asked.acquire(blocking=False)
    go_on.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    resolver.close()
