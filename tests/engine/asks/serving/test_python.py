"""Python functions that answer: given the request, they return the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.asks.serving.operations import Serving
from engine.contracts.serving import Answer, Request
from engine.entry import Entry
from engine.errors import INTERNAL, INVALID, LIMIT_EXCEEDED, UnitFailed
from engine.hosts.python.functions import PythonFunctions
from engine.hosts.python.surroundings import Surroundings
from tests.engine.asks.serving.stage import GET, Client, header, request
from tests.engine.hosts.actor.support import lab
from tests.patience import PATIENCE
from wippy_console.sdk.context import Context

Function = Callable[[Context, Any], Any]


@asynccontextmanager
async def answering(function: Function) -> AsyncIterator[Callable[[Request], Any]]:
    """Asks a node whose Python function it is."""
    functions, serving = PythonFunctions(Surroundings(lambda entry_id, text: function, Context)), Serving()
    entry = Entry("app:answer", "function.python", {}, {"callable": "shop.hooks:answer"})

    async def ask(asked: Request) -> Answer:
        handled = serving.handle(asked, Client(), it.node.call, "app:answer", by_value=True)
        return await asyncio.wait_for(handled, PATIENCE)

    try:
        async with lab(entry, operations=functions.operations()) as it:
            yield ask
    finally:
        await functions.close()


async def answer(function: Function, asked: Request = GET) -> Answer:
    async with answering(function) as ask:
        found: Answer = await ask(asked)
        return found


async def fails(function: Function) -> str:
    with pytest.raises(UnitFailed) as caught:
        await answer(function)
    return caught.value.failure.kind


async def test_a_python_function_is_given_the_request() -> None:
    asked = request(
        b"\xff{}", "text/x", ("x-many", "1"), ("x-many", "2"), params={"id": "7"}, query=(("a", "1"), ("a", "2"))
    )
    seen: list[Any] = []
    await answer(lambda ctx, given: seen.append(given), asked)
    assert seen == [
        {
            "id": "d1",
            "method": "POST",
            "path": "/hooks/x",
            "query": {"a": "1,2"},
            "headers": {"content-type": "text/x", "content-length": "3", "x-many": "1, 2"},
            "params": {"id": "7"},
            "host": "here.test",
            "remote": "192.0.2.7:4711",
            "body": b"\xff{}",
        }
    ]


@pytest.mark.parametrize(
    ("value", "status", "body", "kind"),
    [
        (None, 204, b"", None),
        ("text", 200, b"text", "text/plain; charset=utf-8"),
        (b"\xff", 200, b"\xff", "text/plain; charset=utf-8"),
        ({"a": [1]}, 200, b'{"a":[1]}', "application/json"),
        ([], 200, b"[]", "application/json"),
        (0, 200, b"0", "application/json"),
        ({"status": "paid", "total": 3}, 200, b'{"status":"paid","total":3}', "application/json"),
        ({"status": 201}, 201, b"", None),
        ({"status": 404, "body": {"error": "x"}}, 404, b'{"error":"x"}', "application/json"),
        ({"status": 200, "headers": {"Content-Type": "text/html", "X-N": 1}, "body": "<p>"}, 200, b"<p>", "text/html"),
    ],
)
async def test_what_it_returns_is_the_answer(value: Any, status: int, body: bytes, kind: str | None) -> None:
    found = await answer(lambda ctx, given: value)
    assert (found.status, found.body, header(found.headers, "content-type")) == (status, body, kind)
    assert header(found.headers, "x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"status": "200"}, INVALID),
        ({"status": True}, INVALID),
        ({"status": 101}, INVALID),
        ({"status": 204, "body": "x"}, INVALID),
        ({"status": 200, "headers": ["x"]}, INVALID),
        ({"status": 200, "headers": {"Set-Cookie": "a=b"}}, INVALID),
        ({"status": 200, "headers": {"X": "a\r\nb"}}, INVALID),
        ({"status": 200, "headers": {"X": None}}, INVALID),
        ({"status": 200, "headers": {"\u20ac": "x"}}, INVALID),
        ({"a": b"\xff"}, INTERNAL),
        ("x" * (9 << 20), LIMIT_EXCEEDED),
    ],
)
async def test_what_is_no_answer_fails(value: Any, kind: str) -> None:
    assert await fails(lambda ctx, given: value) == kind


async def test_requests_at_once_are_answered_each_by_its_own() -> None:
    async with answering(lambda ctx, given: given["params"]["n"]) as ask:
        answers = await asyncio.gather(*(ask(request(params={"n": str(n)})) for n in range(30)))
        assert [each.body for each in answers] == [str(n).encode() for n in range(30)]


async def test_a_body_of_json_is_read_as_any() -> None:
    found = await answer(lambda ctx, given: json.loads(given["body"])["total"] * 2, request(b'{"total": 15}'))
    assert found.body == b"30"
