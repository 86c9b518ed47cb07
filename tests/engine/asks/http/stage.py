"""A unit that asks: requests as the kernel hands them over, and what they are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from engine.asks.http.operations import HttpOperations
from engine.asks.http.resolver import Resolve
from engine.asks.operations import Asked, Closer, Held
from engine.contracts.operation import Asker
from engine.errors import Failure, UnitFailed


@dataclass
class Client:
    """Asks for one unit."""

    operations: HttpOperations
    held: Held

    async def ask(self, url: str, **options: Any) -> dict[str, Any]:
        """One exchange."""
        value = {"method": "GET", "url": url, "timeout": 20, **options}
        answer: dict[str, Any] = await self.run("http.request", value)
        return answer

    async def get(self, url: str, **options: Any) -> dict[str, Any]:
        """The response, as the kernel follows to it."""
        answer = await self.ask(url, **options)
        while "hop" in answer:
            answer = await self.ask(url, **options, hop=answer["hop"], left=answer["left"])
        response: dict[str, Any] = answer["response"]
        return response

    async def fails(self, url: str, **options: Any) -> Failure:
        """How it fails."""
        try:
            answer = await self.get(url, **options)
        except UnitFailed as error:
            return error.failure
        raise AssertionError(f"answered {answer}")

    async def run(self, name: str, *args: Any) -> Any:
        """Any operation of the module."""
        asker = Asker("{node@host|1}", "app:unit", "function", self.held, Asked())
        return await self.operations.operations()[name].work(asker, args)


@asynccontextmanager
async def client(allow: Iterable[str] = ("127.0.0.1",), resolve: Resolve | None = None) -> AsyncIterator[Client]:
    """A unit on a node that may reach this machine."""
    operations, closer = HttpOperations(allow, resolve), Closer()
    held = Held(closer, "app:unit")
    try:
        yield Client(operations, held)
    finally:
        await held.end()
        await closer.settled(5)
        await operations.close()
