"""Requests and answers as values: what a function without the module `http`, one in Python, is given and returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.asks.serving.exchange import Exchange
from engine.contracts.serving import Request
from engine.errors import UnitFailed, invalid
from engine.lua.services.json import encode
from engine.steps import Value

FIELDS = frozenset({"status", "headers", "body"})


def given(request: Request) -> Value:
    """The one argument."""
    return {
        "id": request.id,
        "method": request.method,
        "path": request.path,
        "query": _joined(request.query, ","),
        "headers": _joined(request.headers, ", "),
        "params": dict(request.params),
        "host": request.host,
        "remote": request.remote,
        "body": request.body,
    }


async def put(exchange: Exchange, value: Value) -> None:
    """Answer by what it returned: nothing, text, JSON, or {status, headers, body}. Invalid for what can't be."""
    if not isinstance(value, Mapping) or "status" not in value or not FIELDS.issuperset(value):
        value = {"status": 204 if value is None else 200, "body": value}
    status, headers, body = value["status"], value.get("headers") or {}, value.get("body")
    if isinstance(status, bool) or not isinstance(status, int) or not isinstance(headers, Mapping):
        raise UnitFailed(invalid("an answer is {status: number, headers: {name: text}, body}"))
    exchange.set_status(status)
    for name, text in headers.items():
        if not isinstance(text, str | bytes | int):
            raise UnitFailed(invalid(f"an answer's header {str(name)[:100]} is no text"))
        exchange.set_header(octets(str(name)), octets(text if isinstance(text, str | bytes) else str(text)))
    if isinstance(body, str | bytes):
        await exchange.write(octets(body))
    elif body is not None:
        await exchange.write(encode(body).encode(), "application/json")


def octets(text: str | bytes) -> bytes:
    """A text of Lua or Python as it goes out."""
    return text if isinstance(text, bytes) else text.encode()


def _joined(pairs: Iterable[tuple[str, str]], by: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]}{by}{value}" if name in found else value
    return found
