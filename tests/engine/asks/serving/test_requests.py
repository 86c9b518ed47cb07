"""What functions read of requests on a real node."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import INVALID, LIMIT_EXCEEDED
from tests.engine.asks.serving.stage import GET, desk, request, said


async def test_a_request_has_its_parts() -> None:
    asked = replace(
        GET,
        method="PUT",
        path="/hooks/orders/7",
        query=(("tag", "lua"), ("q", "a b"), ("tag", "go")),
        params={"id": "7", "rest": "a/b"},
        headers=(
            ("host", "here.test"),
            ("x-many-words", "1"),
            ("x-many-words", "2"),
            ("content-type", "text/PLAIN; a=b"),
        ),
        body=b"hello",
    )
    found = await said(
        """
        return {
          method = req:method(), path = req:path(), host = req:host(), remote = req:remote_addr(),
          q = req:query("q"), tag = req:query("tag"), none = req:query("none") == nil, all = req:query_params(),
          id = req:param("id"), params = req:params(), no_param = req:param("none") == nil,
          many = req:header("X-MANY-Words"), no_header = req:header("none") == nil, headers = req:headers(),
          type = req:content_type(), length = req:content_length(), has = req:has_body(), body = req:body(),
          is = {req:is_content_type("Text/Plain"), req:is_content_type("text/html"), req:is_content_type("text")},
        }""",
        asked,
    )
    assert found == {
        "method": "PUT",
        "path": "/hooks/orders/7",
        "host": "here.test",
        "remote": "192.0.2.7:4711",
        "q": "a b",
        "tag": "lua",
        "none": True,
        "all": {"tag": "lua,go", "q": "a b"},
        "id": "7",
        "params": {"id": "7", "rest": "a/b"},
        "no_param": True,
        "many": "1, 2",
        "no_header": True,
        "headers": {"Host": "here.test", "X-Many-Words": "1, 2", "Content-Type": "text/PLAIN; a=b"},
        "type": "text/PLAIN; a=b",
        "length": 5,
        "has": True,
        "body": "hello",
        "is": [True, False, False],
    }


async def test_a_request_without_a_body_or_type_says_so() -> None:
    found = await said("""return {
      has = req:has_body(), length = req:content_length(), none = req:content_type() == nil, body = req:body(),
      is = req:is_content_type("text/plain"), accepts = req:accepts("text/plain"), params = next(req:params()) == nil,
    }""")
    wanted = {"has": False, "length": 0, "none": True, "body": "", "is": False, "accepts": False, "params": True}
    assert found == wanted


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/json", True),
        ("text/html, Application/JSON;q=0.5", True),
        ("*/*", True),
        ("application/*", True),
        ("text/*", False),
        ("application/json;q=0", False),
        ("application/json; q=0.0, */*;q=0.1", True),
        ("application/jsonp", False),
        (",,;q=x,", False),
        ("", False),
    ],
)
async def test_what_is_accepted(accept: str, wanted: bool) -> None:
    asked = replace(GET, headers=(("accept", accept),))
    assert await said('return req:accepts("application/json")', asked) is wanted


async def test_texts_that_are_not_utf_8_come_as_they_are() -> None:
    asked = replace(
        request(b"\xff\x00\xfe", "application/octet-stream"), headers=(("x-own", b"h\xc3\xa4\xff".decode("latin-1")),)
    )
    assert await said(r'return {req:header("x-own") == "h\xc3\xa4\xff", req:body() == "\xff\x00\xfe"}', asked) == [
        True,
        True,
    ]


async def test_a_header_as_large_as_servers_let_in_can_be_read() -> None:
    many = tuple((f"x-{n}", "v" * 1000) for n in range(1000))
    body = "local n = 0; for _ in pairs(req:headers()) do n = n + 1 end; return {n, #req:header('x-999')}"
    assert await said(body, replace(GET, headers=many)) == [1000, 1000]


async def test_what_was_read_is_the_codes_own() -> None:
    body = 'req:params().id = "forged"; req:headers()["X"] = 1; return {req:param("id"), req:header("x") == nil}'
    assert await said(body, replace(GET, params={"id": "7"})) == ["7", True]


# --- bodies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [{"a": [1, 2.5, "ä"]}, [], "text", 0, None])
async def test_a_json_body_is_a_value(value: Any) -> None:
    body = "local data, err = req:body_json(); assert(not err, err); return {data = data}"
    found = await said(body, request(json.dumps(value).encode()))
    assert found == ({} if value is None else {"data": value})


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b"nul", b"{'a': 1}", b"[" * 500_000, b'{"a":' * 100_000, b"[1," * 900_000, b"NaN", b"\x00"],
    ids=["empty", "open", "bytes", "word", "quotes", "deep lists", "deep objects", "many", "nan", "zero"],
)
async def test_a_body_that_is_no_json_is_invalid(data: bytes) -> None:
    body = """
      local value, err = req:body_json()
      return {kind = err:kind(), type = err:details().type, none = value == nil, says = err:message()}"""
    found = await said(body, request(data))
    assert found["kind"] == INVALID and found["type"] == "PARSE_FAILED" and found["none"]
    assert found["says"].startswith("body_json") and len(found["says"]) < 300


async def test_a_body_may_be_bounded_by_the_function() -> None:
    body = """
      local small = assert(http.request({max_body = 10, timeout = 5000}))
      local _, err = small:body()
      local _, second = small:body_json()
      return {err:kind(), second:kind(), req:body_json()}"""
    assert await said(body, request(b'"0123456789"')) == [INVALID, INVALID, "0123456789"]


@pytest.mark.parametrize("options", ["{max_body = 0}", '{timeout = "1s"}', "{timeout = -1}", "{max_body = {}}"])
async def test_options_that_mean_nothing_are_invalid(options: str) -> None:
    assert await said(f"return select(2, http.request({options})):kind()") == INVALID


async def test_a_body_larger_than_a_record_is_read_by_a_stream() -> None:
    body = """
      local _, err = req:body()
      local stream = assert(req:stream())
      assert(stream:stat().size == req:content_length())
      local size = 0
      while true do
        local chunk = assert(stream:read(1 << 20) or "")
        if chunk == "" then break end
        size = size + #chunk
      end
      local again, closed = stream:read()
      return {err:kind(), size, again == nil and closed == nil, stream:close()}"""
    found = await said(body, request(b"x" * 16_000_000))
    assert found == [LIMIT_EXCEEDED, 16_000_000, True, True]


async def test_a_stream_has_lines() -> None:
    body = """
      local lines, found = assert(assert(req:stream()):scanner("lines")), {}
      while lines:scan() do found[#found + 1] = lines:text() end
      return found"""
    assert await said(body, request(b"one\r\ntwo\n\nthree", "text/plain")) == ["one", "two", "", "three"]


async def test_methods_want_their_object_and_arguments() -> None:
    body = """
      local function fails(f, ...)
        local ok, err = pcall(f, ...)
        assert(not ok and type(err) == "string", err)
      end
      fails(req.method) fails(req.method, {}) fails(req.method, res) fails(res.write, req, "x")
      fails(req.query, req) fails(req.header, req, {}) fails(req.param, req, nil) fails(req.accepts, req)
      fails(res.write, res) fails(res.write, res, {}) fails(res.set_status, res, 200.5)
      fails(res.set_status, res, "200")
      fails(res.set_header, res, "X") fails(res.set_header, res, nil, "y") fails(res.write_event, res, "x")
      fails(http.request, 5) fails(res.set_transfer, res) fails(req.parse_multipart, req, "8MB")
      fails(function() http.STATUS.OK = 1 end) fails(function() req.method = 1 end)
      return true"""
    async with desk(f"res:write_json((function() {body} end)())") as it:
        assert (await it.ask()).body == b"true"
