from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Sequence

import pytest

from engine.asks.http.limits import MAX_REDIRECTS
from engine.errors import INTERNAL, INVALID, LIMIT_EXCEEDED, PERMISSION_DENIED, UnitFailed
from tests.engine.asks.http.peer import Sent, always, answer, peer
from tests.engine.asks.http.stage import client
from tests.patience import PATIENCE


async def test_an_answer_has_its_parts() -> None:
    headers = {"x-many": "a", "Set-Cookie": "s=1; Path=/; HttpOnly"}
    async with client() as unit, peer(always(answer(b"\xffbody", headers=headers))) as there:
        response = await unit.get(there.url("/x"), query={"q": "1"}, headers={"X-Own": "2"})
        assert response["status_code"] == 200 and response["body"] == b"\xffbody" and response["body_size"] == 5
        assert response["headers"]["X-Many"] == b"a" and response["cookies"] == {"s": "1"}
        assert response["url"] == there.url("/x?q=1")
        assert there.sent[0].target == "/x?q=1" and there.sent[0].headers["x-own"] == "2"
        assert there.sent[0].headers["host"] == f"127.0.0.1:{there.port}"


async def test_a_connection_is_used_again() -> None:
    async with client() as unit, peer(always(answer(b"x"))) as there:
        for _ in range(5):
            await unit.get(there.url())
        assert there.connections == 1


class Closes:
    """Closes a connection with its second request unanswered."""

    def __init__(self) -> None:
        self._seen: set[asyncio.StreamWriter] = set()

    async def __call__(self, request: Sent, writer: asyncio.StreamWriter) -> None:
        if writer in self._seen:
            writer.close()
            return
        self._seen.add(writer)
        writer.write(answer(b"x"))


async def test_a_kept_connection_that_its_peer_closes_costs_no_request_that_changes_nothing() -> None:
    async with client() as unit, peer(Closes()) as there:
        await unit.get(there.url())
        assert (await unit.get(there.url()))["body"] == b"x"
        assert [each.method for each in there.sent] == ["GET", "GET", "GET"]
        failure = await unit.fails(there.url(), method="POST")
        assert failure.retryable is True and len(there.sent) == 4  # it may have been carried out


async def test_a_request_is_not_repeated_on_a_new_connection() -> None:
    async def closes(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with client() as unit, peer(closes) as there:
        assert (await unit.fails(there.url())).kind == INTERNAL and len(there.sent) == 1


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with client() as unit, peer(always(answer(b"x"))) as there:
        assert (await unit.get(there.url()))["body"] == b"x"


# --- addresses ------------------------------------------------------------------------------------


class Fickle:
    """A server of names that changes its mind with each question."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def test_the_address_that_was_checked_is_connected_to() -> None:
    async with peer(always(answer(b"x"))) as there:
        names = Fickle(["127.0.0.1"], ["169.254.169.254"])
        async with client(["127.0.0.1"], names) as unit:
            assert (await unit.get(there.url(host="rebinding.example")))["body"] == b"x"
            assert names.asked == 1
            assert there.sent[0].headers["host"] == f"rebinding.example:{there.port}"


async def test_a_name_is_judged_by_what_it_stands_for_now() -> None:
    async with peer(always(answer(b"x"))) as there, client([], Fickle(["127.0.0.1"])) as unit:
        failure = await unit.fails(there.url(host="public.example"))
        assert failure.kind == PERMISSION_DENIED and failure.retryable is False
        assert "127.0.0.1" not in failure.message and there.connections == 0


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0"],
)
async def test_no_spelling_of_this_machine_is_reached(host: str) -> None:
    async with peer(always(answer(b"x"))) as there, client([]) as unit:
        failure = await unit.fails(there.url(host=host))
        assert failure.kind in (PERMISSION_DENIED, INVALID) and there.connections == 0


async def test_addresses_are_tried_in_turn() -> None:
    names = Fickle(["::1", "127.0.0.2", "127.0.0.1"])
    async with peer(always(answer(b"x"))) as there, client(["127.0.0.0/8", "::1"], names) as unit:
        assert (await unit.get(there.url(host="many.example")))["body"] == b"x"


async def test_addresses_that_may_not_be_reached_are_passed_over() -> None:
    names = Fickle(["10.0.0.1", "127.0.0.1"])
    async with peer(always(answer(b"x"))) as there, client(["127.0.0.1"], names) as unit:
        assert (await unit.get(there.url(host="mixed.example")))["body"] == b"x"


async def test_policies_are_asked_for_private_addresses_and_open_no_way_to_others() -> None:
    async with peer(always(answer(b"x"))) as there, client() as unit:
        assert (await unit.ask(there.url(), checks=True))["private"] == ["127.0.0.1"]
        approved = await unit.ask(there.url(), checks=True, approved=["127.0.0.1"])
        assert approved["response"]["body"] == b"x"
        assert (await unit.get(there.url()))["body"] == b"x"
        assert (await unit.ask(there.url(), checks=True))["private"] == ["127.0.0.1"]  # no kept connection is lent


async def test_a_redirect_is_checked_anew() -> None:
    hidden = answer(status="302 Found", headers={"Location": "http://169.254.169.254/latest/meta-data/"})
    async with client() as unit, peer(always(hidden)) as there:
        failure = await unit.fails(there.url())
        assert failure.kind == PERMISSION_DENIED and len(there.sent) == 1


async def test_redirects_end() -> None:
    async with client() as unit, peer(always(answer(status="302 Found", headers={"Location": "/"}))) as there:
        failure = await unit.fails(there.url())
        assert failure.kind == LIMIT_EXCEEDED and len(there.sent) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "http://\\x", "http://a b/"])
async def test_a_redirect_to_what_is_no_url_fails(location: str) -> None:
    async with client() as unit, peer(always(answer(status="302 Found", headers={"Location": location}))) as there:
        assert "redirects to what is no URL" in (await unit.fails(there.url())).message


# --- peers that are slow, endless or broken ---------------------------------------------------------


async def test_a_peer_that_says_nothing_costs_the_timeout() -> None:
    async def silent(request: Sent, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(PATIENCE)

    async with client() as unit, peer(silent) as there:
        failure = await unit.fails(there.url("/x?secret=1"), timeout=1)
        assert failure.kind == INTERNAL and failure.retryable is True
        assert failure.message == f"GET {there.url('/x')}: timeout after 1 s"


async def test_a_peer_that_drips_costs_the_timeout() -> None:
    async def drip(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with client() as unit, peer(drip) as there:
        assert "timeout" in (await unit.fails(there.url(), timeout=0.3)).message


async def test_an_endless_body_ends_at_the_limit() -> None:
    async def endless(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with client() as unit, peer(endless) as there:
        failure = await unit.fails(there.url(), max_response_body=100_000)
        assert failure.kind == LIMIT_EXCEEDED and "larger than 100000 bytes" in failure.message


async def test_a_body_that_is_announced_as_too_large_is_not_read() -> None:
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    async with client() as unit, peer(always(huge)) as there:
        assert (await unit.fails(there.url())).kind == LIMIT_EXCEEDED


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_a_packed_bomb_ends_at_the_limit(packing: str) -> None:
    zeros = b"\0" * (200 << 20)
    bomb = gzip.compress(zeros, 1) if packing == "gzip" else zlib.compress(zeros, 1)
    async with client() as unit, peer(always(answer(bomb, headers={"Content-Encoding": packing}))) as there:
        failure = await unit.fails(there.url(), max_response_body=1 << 20)
        assert failure.kind == LIMIT_EXCEEDED


async def test_a_packed_body_is_unpacked_unless_one_asks_for_it() -> None:
    packed = gzip.compress(b"hello " * 50_000)
    async with client() as unit, peer(always(answer(packed, headers={"Content-Encoding": "gzip"}))) as there:
        response = await unit.get(there.url())
        assert response["body"] == b"hello " * 50_000 and "Content-Encoding" not in response["headers"]
        response = await unit.get(there.url(), headers={"Accept-Encoding": "gzip"})
        assert response["body"] == packed and response["headers"]["Content-Encoding"] == b"gzip"


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_a_packing_that_is_broken_fails(packing: str) -> None:
    async with client() as unit, peer(always(answer(b"no such thing", headers={"Content-Encoding": packing}))) as there:
        assert "packing is broken" in (await unit.fails(there.url())).message


async def test_ten_thousand_headers_are_too_many() -> None:
    many = {f"X-{number}": "v" for number in range(10_000)}
    async with client() as unit, peer(always(answer(b"x", headers=many))) as there:
        assert (await unit.fails(there.url())).kind == LIMIT_EXCEEDED


@pytest.mark.parametrize("garbage", [b"SSH-2.0-secret\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", b""])
async def test_what_is_no_http_fails_and_is_not_repeated_to_anybody(garbage: bytes) -> None:
    async def broken(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)
        writer.close()

    async with client() as unit, peer(broken) as there:
        failure = await unit.fails(there.url(), method="POST")
        assert failure.kind == INTERNAL and failure.retryable is True
        assert "no HTTP" in failure.message and "secret" not in failure.message


async def test_a_body_that_ends_early_fails() -> None:
    async def short(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    async with client() as unit, peer(short) as there:
        assert (await unit.fails(there.url())).kind == INTERNAL


async def test_a_request_that_is_canceled_lets_its_connection_go() -> None:
    gone = asyncio.Event()

    async def silent(request: Sent, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await writer.wait_closed()

    asked = asyncio.Event()
    async with client() as unit, peer(silent) as there:
        task = asyncio.ensure_future(unit.get(there.url()))
        await asyncio.wait_for(asked.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gone.set()


# --- streams ----------------------------------------------------------------------------------------


async def test_a_stream_is_read_by_pieces_until_its_end() -> None:
    async with client() as unit, peer(always(answer(b"abcdefgh"))) as there:
        response = await unit.get(there.url(), stream=True)
        assert response["body_size"] == -1 and response["size"] == 8 and "body" not in response
        handle = response["stream"]
        read = [await unit.run("stream.read", handle, 3) for _ in range(4)]
        assert read == [b"abc", b"def", b"gh", None]
        assert await unit.run("stream.close", handle) is True
        with pytest.raises(UnitFailed, match="stream is closed"):
            await unit.run("stream.read", handle, 3)


async def test_a_peer_waits_while_nobody_reads() -> None:
    written = 0

    async def eager(request: Sent, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            written += 65536

    async with client() as unit, peer(eager) as there:
        handle = (await unit.get(there.url(), stream=True))["stream"]
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.3)  # until the peer is held up by full buffers
        assert written < 100 << 20
        assert len(await unit.run("stream.read", handle, 65536)) > 0


async def test_a_stream_that_broke_off_never_says_that_it_has_ended() -> None:
    async def stops(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(PATIENCE)

    async with client() as unit, peer(stops) as there:
        handle = (await unit.get(there.url(), stream=True, timeout=1))["stream"]
        assert await unit.run("stream.read", handle, 100) == b"half"
        for said in ("timeout", "broke off"):
            with pytest.raises(UnitFailed, match=said):
                await unit.run("stream.read", handle, 100)


async def test_the_end_of_a_unit_closes_its_streams() -> None:
    ended = asyncio.Event()

    async def endless(request: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        finally:
            ended.set()

    async with client() as unit, peer(endless) as there:
        await unit.get(there.url(), stream=True)
        await unit.held.end()
        await asyncio.wait_for(ended.wait(), PATIENCE)


# --- many -------------------------------------------------------------------------------------------


async def test_a_batch_answers_each_of_its_requests() -> None:
    async with client() as unit, peer(always(answer(b"x"))) as there:
        wanted: list[dict[str, object]] = [{"method": "GET", "url": url} for url in (there.url(), "http://10.0.0.1/")]
        wanted.append({"method": "GET", "url": there.url(), "stream": True})
        answers = await unit.run("http.batch", wanted)
        assert answers[0]["response"]["body"] == b"x" and answers[1]["error"].kind == PERMISSION_DENIED
        assert answers[2]["error"].kind == INVALID


async def test_a_batch_holds_no_more_than_it_can_answer() -> None:
    held, body = asyncio.Event(), answer(bytes(200_000))

    async def serve(request: Sent, writer: asyncio.StreamWriter) -> None:
        if request.target == "/last":
            while len(here.sent) < 300 or tracemalloc.get_traced_memory()[0] > 20 << 20:
                await asyncio.sleep(0.05)
            held.set()
        writer.write(body)

    tracemalloc.start(1)
    try:
        async with peer(serve) as here, client() as unit:
            urls = [here.url("/last"), *[here.url()] * 299]
            wanted = [{"method": "GET", "url": url, "timeout": PATIENCE} for url in urls]
            answers = await asyncio.wait_for(unit.run("http.batch", wanted), PATIENCE)
    finally:
        tracemalloc.stop()
    assert held.is_set() and len(answers) == 300
    assert "response" in answers[0] and answers[-1]["error"].kind == "LimitExceeded"


async def test_a_thousand_requests_at_once_take_turns() -> None:
    async with client() as unit, peer(always(answer(b"x"))) as there:
        answers = await asyncio.gather(*(unit.get(there.url()) for _ in range(1000)))
        assert all(each["body"] == b"x" for each in answers) and there.connections <= 64


async def test_sockets_are_used_where_they_are_allowed(tmp_path: object) -> None:
    path = f"{tmp_path}/app.sock"
    async with peer(always(answer(b"x")), path=path) as there:
        async with client([f"unix:{path}"]) as unit:
            assert (await unit.get("http://app/status", unix_socket=path))["body"] == b"x"
            assert there.sent[0].target == "/status"
        async with client([]) as unit:
            assert (await unit.fails("http://app/status", unix_socket=path)).kind == PERMISSION_DENIED
