"""What a web process holds of the bodies of requests to `/hooks/`."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest

from wippy_console.hooks import exchange as exchanges
from wippy_console.hooks.exchange import Exchange, TooLarge
from wippy_console.services.errors import Unavailable


async def told(message: MutableMapping[str, Any]) -> None:
    raise AssertionError("nothing is answered here")


def sent(*parts: bytes) -> Exchange:
    """A request whose body comes in those parts."""
    left = list(parts)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return Exchange({"method": "POST", "headers": []}, receive, told)


async def test_all_bodies_together_are_bounded_until_their_requests_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "MOST_HELD", 10)
    first, second, third = sent(b"123", b"456"), sent(b"12345"), sent(b"12345")
    assert await first.body(100) == b"123456"
    with pytest.raises(Unavailable, match="Try again"):
        await second.body(100)
    second.close()
    first.close()
    first.close()
    assert await third.body(100) == b"12345"
    third.close()
    assert exchanges._Held.total == 0


async def test_a_body_that_is_too_large_is_not_held_any_longer() -> None:
    request = sent(b"123", b"456")
    with pytest.raises(TooLarge):
        await request.body(5)
    request.close()
    assert exchanges._Held.total == 0
