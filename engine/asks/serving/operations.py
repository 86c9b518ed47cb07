"""What the module `http` asks of its node (docs/lua.md#http), and the way in for requests (`Serving.handle`)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from engine.asks.serving.bodies import Bytes, form_of
from engine.asks.serving.exchange import Exchange
from engine.asks.serving.failures import no_context, over
from engine.asks.serving.multipart import parts
from engine.asks.serving.values import given, octets, put
from engine.asks.streams import stream_operations
from engine.contracts.host import CallRequest
from engine.contracts.operation import Asker, Operation
from engine.contracts.serving import CONTEXT_KEY, Answer, Call, Outlet, Request
from engine.errors import UnitFailed, invalid
from engine.security.context import Security
from engine.steps import Value

ONCE: Mapping[str, Value] = {"retry": {"max_attempts": 1}}
"""A function that is tried again would write behind what it wrote before: who sent the request does that."""


class Serving:
    """The exchanges of a node, by a token that only their functions' contexts have."""

    def __init__(self) -> None:
        self._exchanges: dict[str, Exchange] = {}

    async def handle(
        self,
        request: Request,
        outlet: Outlet,
        call: Call,
        target: str,
        security: Security | None = None,
        *,
        by_value: bool = False,
    ) -> Answer:
        """Have a function answer. UnitFailed when it failed or was not heard to the end: the outlet may have begun.

        `by_value`: it is given the request and returns the answer, as Python functions do (`values`).
        """
        token = secrets.token_urlsafe(16)
        exchange = self._exchanges[token] = Exchange(request, outlet)
        try:
            args = (given(request),) if by_value else ()
            value = await call(CallRequest(target, args, ONCE, {CONTEXT_KEY: token}, security=security))
            if by_value:
                await put(exchange, value)
            return await exchange.finish()
        finally:
            del self._exchanges[token]
            exchange.close()

    def operations(self) -> Mapping[str, Operation]:
        """Every operation by name; the first argument of each is the token."""
        return {
            "serving.request": Operation(self._request, lambda _: "read a request"),
            "serving.body": Operation(self._body, lambda _: "read a request"),
            "serving.stream": Operation(self._stream, lambda _: "read a request"),
            "serving.form": Operation(self._form, lambda _: "read a form"),
            "serving.file": Operation(self._file, lambda _: "read a form"),
            "serving.status": Operation(self._status, lambda _: "answer a request"),
            "serving.header": Operation(self._header, lambda _: "answer a request"),
            "serving.transfer": Operation(self._transfer, lambda _: "answer a request"),
            "serving.write": Operation(self._write, lambda _: "answer a request"),
            "serving.event": Operation(self._event, lambda _: "send an event"),
            "serving.flush": Operation(self._flush, lambda _: "answer a request"),
            **stream_operations(),
        }

    async def close(self) -> None:
        """Nothing is open: the calls have ended."""

    def _open(self, token: Value) -> Exchange:
        exchange = self._exchanges.get(token)
        if exchange is None:
            raise over()
        return exchange

    # --- the request -------------------------------------------------------------------------------

    async def _request(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token) -> what is known of it but its body; for a response as well, which is only asked whether it is."""
        exchange = self._exchanges.get(args[0])
        if exchange is None:
            raise no_context()
        request = exchange.request
        return {
            "method": request.method,
            "path": request.path,
            "query": [list(pair) for pair in request.query],
            "headers": [[name, _octets(value)] for name, value in request.headers],
            "params": dict(request.params),
            "host": request.host,
            "remote": request.remote,
            "size": len(request.body),
        }

    async def _body(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token, most) -> bytes."""
        body = self._open(args[0]).request.body
        if len(body) > args[1]:
            raise UnitFailed(invalid(f"the body is larger than max_body: {len(body)} bytes"))
        return body

    async def _stream(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token) -> {handle, size}."""
        exchange = self._open(args[0])
        return _held(asker, Bytes(exchange, 0, len(exchange.request.body)))

    async def _form(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token) -> {values, files}."""
        request = self._open(args[0]).request
        return form_of(parts(_content_type(request), request.body), request.body)

    async def _file(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token, start, end), as `form` told -> {handle, size}."""
        return _held(asker, Bytes(self._open(args[0]), args[1], args[2]))

    # --- the answer --------------------------------------------------------------------------------

    async def _status(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token, status) -> True."""
        self._open(args[0]).set_status(args[1])
        return True

    async def _header(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token, name, value) -> True."""
        self._open(args[0]).set_header(octets(args[1]), octets(args[2]))
        return True

    async def _transfer(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token, mode) -> True."""
        self._open(args[0]).set_transfer(args[1])
        return True

    async def _write(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token, data[, content type]) -> True."""
        await self._open(args[0]).write(octets(args[1]), *args[2:])
        return True

    async def _event(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token, text) -> True."""
        await self._open(args[0]).event(octets(args[1]))
        return True

    async def _flush(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """(token) -> True."""
        await self._open(args[0]).flush()
        return True


def _held(asker: Asker, stream: Bytes) -> Value:
    return {"handle": asker.holdings.add(stream, "the body of a request"), "size": stream.size}


def _content_type(request: Request) -> str:
    return next((value for name, value in request.headers if name == "content-type"), "")


def _octets(text: str) -> bytes:
    return text.encode("latin-1", "replace")
