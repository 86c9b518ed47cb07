"""Hostile servers: each answer, or none, is one clear error of the call that asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from tests.hostile.peer import Peer, peer
from tests.hostile.scene import Left, Scene, scene

HTTP = ("http_client",)
GET = "local r, err = http_client.get(..., {timeout = 2}) if err then return nil, err end return r.status_code"
SLOWLY = "local r, err = http_client.get(..., {timeout = 600}) if err then return nil, err end return r.status_code"
STREAM = """
local r, err = http_client.get(..., {stream = true, timeout = 600})
if err then return nil, err end
while true do
  local chunk, why = r.stream:read(1024)
  if why then return nil, why end
  if not chunk then return "read" end
end
"""
FORGOTTEN = """
local url, many = ...
for i = 1, many do assert(http_client.get(url, {stream = true})) end
return "forgot"
"""
CASES = [
    ("endless_line", "LimitExceeded", "head of the answer is too large"),
    ("endless_headers", "LimitExceeded", "head of the answer is too large"),
    ("endless_chunk", "LimitExceeded", "too large"),
    ("many_headers", "LimitExceeded", "more than 500 headers"),
    ("endless_body", "LimitExceeded", "the answer is larger than"),
    ("bomb", "LimitExceeded", "the answer is larger than"),
    ("tiny_chunks", "Internal", "timeout after 2 s"),
    ("informed", "Internal", "timeout after 2 s"),
    ("crumbs", "Internal", "timeout after 2 s"),
    ("hung", "Internal", "timeout after 2 s"),
    ("lying", "Internal", "closed the connection"),
    ("garbage", "Internal", "no HTTP"),
    ("gone", "Internal", "closed the connection"),
    ("circle", "LimitExceeded", "more than 10 redirects"),
    ("inside", "PermissionDenied", "169.254.169.254"),
]


@pytest.fixture
def hostile() -> Iterator[Peer]:
    with peer() as it:
        yield it


@pytest_asyncio.fixture
async def here(tmp_path: Path, hostile: Peer) -> AsyncIterator[Scene]:
    """Warm: what a node keeps for ever it has by then."""
    async with scene(tmp_path) as it:
        await it.neighbours()
        assert (await it.told(SLOWLY, f"{hostile.url}/gone", modules=HTTP)).kind == "Internal"
        yield it


@pytest.mark.parametrize(("path", "kind", "words"), CASES, ids=[case[0] for case in CASES])
async def test_a_hostile_answer_costs_one_call_a_clear_error(
    here: Scene, hostile: Peer, path: str, kind: str, words: str
) -> None:
    before = Left.now()
    url, body = f"{hostile.url}/{path}", GET if "timeout" in words else SLOWLY
    told = await here.meanwhile(body, url, modules=HTTP, until=lambda: hostile.seen[f"/{path}"] > 0)
    assert told.kind == kind and words in told.text
    await here.until(lambda: hostile.open == 0)
    await here.comes_back_to(before)
    assert (await here.told(SLOWLY, f"{hostile.url}/good", modules=HTTP)).text == "200"


@pytest.mark.parametrize(
    ("body", "path"), [(SLOWLY, "hung"), (SLOWLY, "tiny_chunks"), (STREAM, "hung"), (STREAM, "crumbs")]
)
async def test_a_unit_that_waits_for_such_a_peer_hears_that_it_shall_stop(
    here: Scene, hostile: Peer, body: str, path: str
) -> None:
    before = Left.now()
    url = f"{hostile.url}/{path}"
    failure = await here.canceled(body, url, modules=HTTP, until=lambda: hostile.seen[f"/{path}"] > 0)
    assert failure.kind == "Canceled"
    await here.until(lambda: hostile.open == 0)
    await here.comes_back_to(before)


async def test_a_unit_that_is_ended_takes_its_requests_and_streams_along(here: Scene, hostile: Peer) -> None:
    before = Left.now()
    url = f"{hostile.url}/endless_body"
    keep = f"assert(http_client.get(..., {{stream = true}})) {SLOWLY.replace('...', repr(hostile.url + '/hung'))}"
    await here.terminated(keep, url, modules=HTTP, until=lambda: hostile.seen["/hung"] > 0)
    await here.until(lambda: hostile.open == 0)
    await here.comes_back_to(before)


async def test_streams_that_a_call_forgets_are_closed_with_it(here: Scene, hostile: Peer) -> None:
    before = Left.now()
    told = await here.told(FORGOTTEN, f"{hostile.url}/endless_body", 30, modules=HTTP)
    assert told.text == "forgot"
    await here.until(lambda: hostile.open == 0)
    await here.comes_back_to(before)
    told = await here.told(FORGOTTEN, f"{hostile.url}/endless_body", 100, modules=HTTP)
    assert "handles" in told.text or "streams" in told.text
    await here.until(lambda: hostile.open == 0)


async def test_many_units_at_a_hung_peer_leave_room_for_others(here: Scene, hostile: Peer) -> None:
    before = Left.now()
    calls = [asyncio.create_task(here.told(GET, f"{hostile.url}/hung", modules=HTTP)) for _ in range(80)]
    await here.until(lambda: hostile.seen["/hung"] >= 20)
    assert (await here.told(SLOWLY, f"{hostile.url}/good", modules=HTTP)).text == "200"
    await here.neighbours()
    assert {told.kind for told in await asyncio.gather(*calls)} <= {"Internal", "LimitExceeded", "Unavailable"}
    await here.until(lambda: hostile.open <= 1)
    assert (await here.told(SLOWLY, f"{hostile.url}/gone", modules=HTTP)).kind == "Internal"
    await here.comes_back_to(before)


async def test_names_that_nobody_answers_hold_up_no_one(tmp_path: Path, hostile: Peer) -> None:
    asked: list[str] = []

    async def never(name: str) -> Sequence[str]:
        asked.append(name)
        await asyncio.Event().wait()
        return ()

    async with scene(tmp_path, resolve=never) as it:
        told = await it.meanwhile(GET, "http://slow.test/", modules=HTTP, until=lambda: bool(asked))
        assert told.kind == "Internal" and "timeout after 2 s" in told.text
        asked.clear()
        failure = await it.canceled(SLOWLY, "http://slow.test/", modules=HTTP, until=lambda: bool(asked))
        assert failure.kind == "Canceled"
        assert (await it.told(SLOWLY, f"{hostile.url}/good", modules=HTTP)).text == "200"


async def test_a_peer_that_speaks_no_tls_or_says_nothing_is_one_error(here: Scene, hostile: Peer) -> None:
    before = Left.now()
    for path in ("good", "hung"):
        told = await here.told(GET, f"{hostile.url}/{path}".replace("http:", "https:"), modules=HTTP)
        assert told.kind == "Internal"
    await here.until(lambda: hostile.open == 0)
    await here.comes_back_to(before)
