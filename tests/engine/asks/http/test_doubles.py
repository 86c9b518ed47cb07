from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.asks.http.operations import HttpOperations
from engine.asks.http.recording import file_of
from engine.asks.operations import Closer, Held
from engine.entry import Entry
from engine.errors import INTERNAL, INVALID
from engine.registry.tree import parse
from tests.engine.asks.http.peer import always, answer, peer
from tests.engine.asks.http.stage import Client, client

ANSWERS = [
    {
        "url": "https://bank.example/accounts?id=1",
        "json": {"balance": 5},
        "headers": {"Content-Type": "application/json"},
    },
    {"url": "https://bank.example/moved", "status": 302, "headers": {"Location": "/here"}},
    {"url": "https://bank.example/here", "body": "found"},
    {"method": "POST", "url": "https://bank.example/charges/*", "status": 201, "base64": "/wA="},
    {"url": "https://down.example/", "fails": "connection refused"},
    {"url": "https://wrong.example/", "status": "ok"},
]


def unit(doubles: Any, *others: Entry, type: str = "test") -> Client:
    entries = {
        each.id: each for each in (Entry("shop:test", "function.lua", {"type": type, "doubles": doubles}), *others)
    }
    return Client(HttpOperations(find=entries.get), Held(Closer(), "shop:test"))


async def test_a_test_is_answered_by_what_was_recorded() -> None:
    test = unit(ANSWERS)
    response = await test.get("https://bank.example/accounts", query={"id": 1}, double="shop:test")
    assert response["body"] == b'{"balance": 5}' and response["headers"]["Content-Type"] == b"application/json"
    assert (await test.get("https://bank.example/moved", double="shop:test"))["body"] == b"found"
    charged = await test.get("https://bank.example/charges/7", method="POST", double="shop:test")
    assert charged["status_code"] == 201 and charged["body"] == b"\xff\x00"
    down = await test.fails("https://down.example/", double="shop:test")
    assert down.kind == INTERNAL and down.retryable and "connection refused" in down.message
    assert (await test.fails("https://wrong.example/", double="shop:test")).kind == INVALID
    stream = await test.get("https://bank.example/here", stream=True, double="shop:test")
    assert await test.run("stream.read", stream["stream"], 10) == b"found"
    await test.operations.close()


async def test_answers_may_stand_in_an_entry_beside_it() -> None:
    fixtures = Entry("shop:fixtures", "registry.entry", {}, {"answers": ANSWERS})
    test = unit(["fixtures"], fixtures)
    assert (await test.get("https://bank.example/here", double="shop:test"))["body"] == b"found"
    missing = unit(["nothing"])
    assert (await missing.fails("https://bank.example/here", double="shop:test")).kind == INVALID
    for each in (test, missing):
        await each.operations.close()


async def test_a_request_without_an_answer_says_what_to_add() -> None:
    test = unit(ANSWERS)
    failure = await test.fails("https://bank.example/other?token=hidden", double="shop:test")
    assert failure.retryable is False and "meta.doubles" in failure.message
    assert "{method: GET, url: 'https://bank.example/other', status: 200" in failure.message
    assert "hidden" not in failure.message
    await test.operations.close()


async def test_what_peers_say_is_written_as_an_entry_without_their_secrets(tmp_path: Path) -> None:
    said = answer(b"real", headers={"Set-Cookie": "session=secret", "Content-Type": "text/plain"})
    async with peer(always(said)) as there:
        recording = Client(HttpOperations(["127.0.0.1"], record=tmp_path), Held(Closer(), "shop:test"))
        assert (await recording.get(there.url("/x"), double="record:shop:test"))["body"] == b"real"
        assert (await recording.get(there.url("/y")))["body"] == b"real"
        await recording.operations.close()
    path = file_of(tmp_path, "shop:test")
    assert path.stat().st_mode & 0o077 == 0 and "secret" not in path.read_text()
    entry = parse({"_index.yaml": path.read_bytes()}).entries["shop:test_doubles"]
    test = unit(["test_doubles"], entry)
    assert (await test.get(there.url("/x"), double="shop:test"))["body"] == b"real"
    assert "no answer" in (await test.fails(there.url("/y"), double="shop:test")).message
    await test.operations.close()


@pytest.mark.parametrize("double", ["", "shop:none", "shop:test"])
async def test_outside_of_tests_peers_are_asked(double: str) -> None:
    async with client() as asked, peer(always(answer(b"real"))) as there:
        assert (await asked.get(there.url(), double=double))["body"] == b"real"
    no_test = unit(ANSWERS, type="job")
    assert "not allowed" in (await no_test.fails("http://10.0.0.1/", double="shop:test")).message
    await no_test.operations.close()
