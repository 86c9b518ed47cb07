"""What the module `http_client` asks of its node (docs/lua.md#http_client)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.asks.http import urls
from engine.asks.http.addresses import Allowed
from engine.asks.http.doubles import Doubles, Find
from engine.asks.http.exchange import Answer, Exchanges
from engine.asks.http.failures import too_large
from engine.asks.http.limits import MAX_BATCH, MAX_BODY
from engine.asks.http.network import Network
from engine.asks.http.recording import Recording
from engine.asks.http.requests import Request, read_method
from engine.asks.http.resolver import Guard, Resolve, SystemResolver
from engine.asks.http.streams import Opening
from engine.asks.streams import stream_operations
from engine.contracts.operation import Asker, Operation
from engine.errors import UnitFailed, invalid
from engine.steps import Value


class HttpOperations:
    """For `LocalNode`, which closes it when all units have ended."""

    def __init__(
        self,
        allow: Iterable[str] = (),
        resolve: Resolve | None = None,
        find: Find = lambda entry_id: None,
        record: Path | None = None,
    ) -> None:
        """`allow` names what beside public addresses may be reached (`addresses.Allowed`); ValueError.

        `find` gives the entries of tests, whose recorded answers stand in for peers; `record` is a folder for new ones.
        """
        self._system = SystemResolver()
        self._network = Network()
        guard = Guard(Allowed(allow), resolve or self._system)
        self._exchanges = Exchanges(self._network, guard, Doubles(find), Recording(record))

    def operations(self) -> Mapping[str, Operation]:
        """Every operation by name."""
        return {
            "http.url": Operation(self._url, lambda _: "read a URL"),
            "http.request": Operation(self._request, _request_text),
            "http.batch": Operation(self._batch, _batch_text),
            **stream_operations(),
        }

    async def close(self) -> None:
        """End everything."""
        await self._network.close(self._exchanges.close)
        self._system.close()

    async def _url(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(url, query) -> the URL that policies are asked about."""
        return str(urls.without_userinfo(urls.read_url(args[0], args[1] if len(args) > 1 else None)))

    async def _request(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(request) -> {response}, {hop, left} or {private, left}; `response.stream` is a handle."""
        opening = Opening()
        try:
            answer = await self._network.run(lambda: self._once(asker.pid, args[0], opening))
            if opening.stream is not None:
                answer["response"]["stream"] = asker.holdings.add(opening.stream, _request_text(args))
        except BaseException:
            self._network.leave(opening.give_up)
            raise
        return answer

    async def _once(self, pid: str, value: Value, opening: Opening | None = None) -> Answer:
        return await self._exchanges.once(pid, Request.of(value), opening)

    async def _batch(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(requests) -> for each what a request is answered with, or {error}."""
        wanted = args[0]
        if not isinstance(wanted, list) or len(wanted) > MAX_BATCH:
            raise UnitFailed(invalid(f"a batch is a list of at most {MAX_BATCH} requests"))
        return await self._network.run(lambda: self._all(asker.pid, wanted))

    async def _all(self, pid: str, wanted: list[Value]) -> list[Value]:
        """The answers, whose bodies have to cross at once: where they are too large together, the last make room."""
        answers: list[Value] = [None] * len(wanted)
        sizes = [0] * len(wanted)

        async def one(place: int, value: Value) -> None:
            answer = answers[place] = await self._one(pid, value)
            sizes[place] = answer["response"]["body_size"] if "response" in answer else 0
            while sum(sizes) > MAX_BODY:
                last = max(at for at, size in enumerate(sizes) if size)
                answers[last] = {"error": too_large(_request_text((wanted[last],)), "the batch", MAX_BODY).failure}
                sizes[last] = 0

        await asyncio.gather(*(one(*each) for each in enumerate(wanted)))
        return answers

    async def _one(self, pid: str, value: Value) -> Answer:
        try:
            if isinstance(value, Mapping) and value.get("stream"):
                raise UnitFailed(invalid("stream is not possible in a batch"))
            return await self._once(pid, value)
        except UnitFailed as error:
            return {"error": error.failure}


def _request_text(args: tuple[Value, ...]) -> str:
    try:
        return f"{read_method(args[0]['method'])} {urls.shown(urls.read_url((args[0].get('hop') or args[0])['url']))}"
    except (UnitFailed, KeyError, TypeError, AttributeError):
        return "a request"


def _batch_text(args: tuple[Value, ...]) -> str:
    wanted = args[0] if args and isinstance(args[0], list) else []
    first = _request_text((wanted[0],)) if wanted else "nothing"
    return f"{first} and {len(wanted) - 1} more" if len(wanted) > 1 else first
