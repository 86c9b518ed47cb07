"""Functions that answer requests on a real node: buffered, in pieces, as events; and what they may not answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from engine.contracts.serving import CONTEXT_KEY
from engine.errors import INTERNAL, INVALID, LIMIT_EXCEEDED
from tests.engine.asks.serving.stage import GET, Client, desk, entry, header, request
from tests.engine.hosts.actor.support import lua
from tests.patience import PATIENCE


async def test_a_function_that_says_nothing_answers_200_without_a_body() -> None:
    async with desk("return {ignored = true}") as it:
        answer = await it.ask()
        assert (answer.status, answer.body, answer.is_streamed) == (200, b"", False)
        assert header(answer.headers, "content-type") is None


async def test_an_answer_has_its_status_headers_and_body() -> None:
    body = """
      assert(res:set_status(http.STATUS.CREATED) == nil)
      assert(res:set_header("X-Own", "1") == nil and res:set_header("x-own", 2) == nil)
      assert(res:write_json({order = "7"}) == nil and res:write("\\n") == nil)"""
    async with desk(body) as it:
        client = Client()
        answer = await it.ask(outlet=client)
        assert (answer.status, answer.body) == (201, b'{"order":"7"}\n')
        assert header(answer.headers, "x-own") == "2"
        assert header(answer.headers, "content-type") == "application/json"
        assert client.status == 0, "nothing goes out before the end"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('res:write("x")', "text/plain; charset=utf-8"),
        ('res:set_content_type("text/html"); res:write("x")', "text/html"),
        ('res:set_content_type("application/problem+json"); res:write_json({})', "application/problem+json"),
        ("res:set_status(204)", None),
    ],
)
async def test_a_body_has_a_type(body: str, kind: str | None) -> None:
    async with desk(body) as it:
        assert header((await it.ask()).headers, "content-type") == kind


async def test_an_answer_runs_nothing_in_a_browser() -> None:
    async with desk('res:set_content_type("text/html"); res:write("<script>alert(1)</script>")') as it:
        headers = (await it.ask()).headers
        assert header(headers, "content-security-policy") == "sandbox; default-src 'none'"
        assert header(headers, "x-content-type-options") == "nosniff"
        assert header(headers, "cross-origin-resource-policy") == "same-origin"


REFUSED = [
    "Set-Cookie", "set-cookie", "Clear-Site-Data", "Service-Worker-Allowed", "Strict-Transport-Security", "Alt-Svc",
    "NEL", "Report-To", "Content-Security-Policy", "X-Content-Type-Options", "Connection", "Transfer-Encoding",
    "Content-Length", "Upgrade", "Proxy-Authenticate", "Wippy-Replayed",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_headers_that_are_not_the_functions_to_set_are_refused(name: str) -> None:
    async with desk(f'local err = res:set_header("{name}", "x"); res:write(err:kind())') as it:
        answer = await it.ask()
        assert answer.body == INVALID.encode()
        assert header(answer.headers, name.lower()) != "x"


@pytest.mark.parametrize(
    "call",
    [
        r'set_header("X", "a\r\nSet-Cookie: b=1")',
        r'set_header("X", "a\nb")',
        r'set_header("X", "a\0b")',
        r'set_header("X\r\nY", "a")',
        r'set_header("X: a", "b")',
        r'set_header("", "b")',
        r'set_header("\xff", "b")',
        r'set_content_type("text/html\r\n\r\n<script>")',
        "set_status(99)",
        "set_status(101)",
        "set_status(600)",
        'set_transfer("gzip")',
        'write_event({name = "a\\ndata: forged", data = 1})',
        'write_event({name = "a\\rb", data = 1})',
        "write_event({data = 1})",
        'write_event({name = "a"})',
    ],
)
async def test_what_breaks_a_line_or_is_none_is_invalid_and_spoils_nothing(call: str) -> None:
    body = f'local err = res:{call}; assert(err:kind() == errors.INVALID, err); res:write("well")'
    async with desk(body) as it:
        answer = await it.ask()
        assert (answer.status, answer.body) == (200, b"well")
        assert all("\r" not in value and "\n" not in value for _, value in answer.headers)


async def test_headers_are_bounded() -> None:
    body = """
      local long = res:set_header("X-Long", string.rep("x", 9000))
      assert(long:kind() == "LimitExceeded")
      local err, set = nil, 0
      for i = 1, 1000 do
        err = res:set_header("X-" .. i, "y")
        if err then break end
        set = i
      end
      assert(err:kind() == "LimitExceeded" and set == 100, set)
      assert(res:set_header("X-7", "again") == nil)"""
    async with desk(body) as it:
        assert header((await it.ask()).headers, "x-7") == "again"


async def test_texts_that_are_not_utf_8_go_out_as_they_are() -> None:
    async with desk(r'res:set_header("X-Own", "h\xc3\xa4\xff"); res:write("\xff\x00\xfe")') as it:
        answer = await it.ask()
        assert answer.body == b"\xff\x00\xfe"
        assert (header(answer.headers, "x-own") or "").encode("latin-1") == b"h\xc3\xa4\xff"


async def test_what_json_cannot_say_is_an_error_and_nothing_is_written() -> None:
    body = r"""
      local deep = {}
      for _ = 1, 150 do deep = {deep} end
      assert(res:write_json("\xff") and res:write_json({[1] = 1, x = 2}) and res:write_json(deep))
      assert(res:set_status(202) == nil, "the head is free still")"""
    async with desk(body) as it:
        answer = await it.ask()
        assert (answer.status, answer.body) == (202, b"")


async def test_after_a_write_the_headers_are_sent() -> None:
    body = """
      res:write("x")
      for _, err in ipairs {
        res:set_status(500), res:set_header("X", "y"), res:set_content_type("a/b"), res:set_transfer("sse"),
        res:write_event({name = "e", data = 1}),
      } do
        assert(err:kind() == errors.INVALID and err:message():find("headers already sent"), err)
        assert(err:details().type == http.ERROR.INVALID_STATE)
      end"""
    async with desk(body) as it:
        answer = await it.ask()
        assert (answer.status, answer.body) == (200, b"x")


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_has_none(status: int) -> None:
    async with desk(f'res:set_status({status}); assert(res:write("x"):kind() == errors.INVALID)') as it:
        answer = await it.ask()
        assert (answer.status, answer.body) == (status, b"")


# --- pieces ---------------------------------------------------------------------------------------


async def test_a_flush_sends_what_was_written_while_the_function_goes_on() -> None:
    body = """
      res:set_header("X-Own", "1")
      res:write("one,")
      assert(res:flush() == nil)
      assert(res:set_status(500):kind() == errors.INVALID)
      time.sleep("1h")"""
    async with desk(body) as it:
        client = Client()
        task = asyncio.create_task(it.ask(outlet=client))
        await asyncio.wait_for(client.heard.wait(), PATIENCE)
        assert client.pieces == [b"one,"] and client.status == 200 and header(client.headers, "x-own") == "1"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_rest_of_a_streamed_answer_is_sent_before_the_answer_is_told() -> None:
    body = 'res:set_transfer(http.TRANSFER.CHUNKED); for i = 1, 3 do res:write(i); res:flush() end; res:write("rest")'
    async with desk(body) as it:
        client = Client()
        answer = await it.ask(outlet=client)
        assert answer.is_streamed and answer.body == b"" and answer.status == client.status == 200
        assert client.pieces == [b"1", b"2", b"3", b"rest"]
        assert answer.headers == client.headers


async def test_a_streamed_answer_without_flushes_goes_out_in_pieces() -> None:
    body = 'res:set_transfer("chunked"); for i = 1, 40 do res:write(string.rep("x", 1000)) end'
    async with desk(body) as it:
        client = Client()
        await it.ask(outlet=client)
        assert 1 < len(client.pieces) < 40 and client.text == "x" * 40_000


async def test_a_streamed_answer_of_nothing_has_its_head() -> None:
    async with desk('res:set_status(202); res:set_transfer("chunked")') as it:
        client = Client()
        assert (await it.ask(outlet=client)).is_streamed and client.status == 202


async def test_a_large_write_goes_out_in_several_pieces() -> None:
    async with desk('res:set_transfer("chunked"); res:write(string.rep("x", 1000000))') as it:
        client = Client()
        await it.ask(outlet=client)
        assert len(client.text) == 1_000_000 and max(map(len, client.pieces)) <= 256 << 10


async def test_events_are_sent_at_once_with_their_headers() -> None:
    body = r"""
      assert(res:write_event({name = "progress", data = {percent = 50, text = "two\nlines\r"}}) == nil)
      assert(res:write_event({name = "done", data = "x"}) == nil)"""
    async with desk(body) as it:
        client = Client()
        assert (await it.ask(outlet=client)).is_streamed
        assert client.pieces == [
            b'event: progress\ndata: {"percent":50,"text":"two\\nlines\\r"}\n\n',
            b'event: done\ndata: "x"\n\n',
        ]
        assert header(client.headers, "content-type") == "text/event-stream"
        assert header(client.headers, "cache-control") == "no-cache"


async def test_a_client_that_left_ends_the_writing_not_the_function() -> None:
    body = """
      res:set_transfer("chunked")
      local err
      for i = 1, 10 do
        err = res:write(i) or res:flush()
        if err then break end
      end
      assert(err:kind() == errors.INTERNAL and err:details().type == http.ERROR.WRITE_FAILED, err)
      assert(res:write("more"):kind() == errors.INTERNAL)
      funcs.call("app:note")"""
    async with desk(entry(body), lua("app:note", "return 1")) as it:
        client = Client(leaves=2)
        failure = await it.fails(outlet=client)
        assert failure.kind == INTERNAL and "client has left" in failure.message
        assert client.pieces == [b"1", b"2"]


# --- much ------------------------------------------------------------------------------------------


async def test_a_hundred_thousand_writes_are_one_answer() -> None:
    async with desk('for i = 1, 100000 do assert(res:write("x") == nil) end') as it:
        assert (await it.ask()).body == b"x" * 100_000


async def test_small_writes_keep_their_order_with_all_else_that_a_function_does() -> None:
    body = """
      for i = 1, 100 do
        res:write("a")
        if i % 7 == 0 then funcs.call("app:inner") end
        if i % 11 == 0 then res:write(string.rep("L", 20000)) end
        if i % 13 == 0 then res:flush() end
      end
      coroutine.spawn(function() res:write("t"); res:flush(); error("not reached") end)
      coroutine.yield()"""
    wanted = ""
    for i in range(1, 101):
        wanted += "a" + ("b" if i % 7 == 0 else "") + ("L" * 20000 if i % 11 == 0 else "")
    async with desk(entry(body), entry('res:write("b")', "app:inner")) as it:
        client = Client()
        await it.ask(outlet=client)
        assert client.text == wanted + "t"


async def test_an_answer_is_bounded_and_one_that_is_cut_is_a_failure() -> None:
    body = """
      local part, err = string.rep("x", 1000000), nil
      for i = 1, 20 do err = err or res:write(part) end
      assert(err:kind() == "LimitExceeded")"""
    async with desk(body) as it:
        assert (await it.fails()).kind == LIMIT_EXCEEDED


async def test_a_streamed_answer_is_bounded_as_well() -> None:
    body = """
      res:set_transfer("chunked")
      local part = string.rep("x", 4000000)
      for i = 1, 17 do
        local err = res:write(part)
        if err then return assert(i == 17 and err:kind() == "LimitExceeded") end
      end"""
    async with desk(body) as it:
        client = Client()
        assert (await it.fails(outlet=client)).kind == LIMIT_EXCEEDED
        assert sum(map(len, client.pieces)) <= 64 << 20


async def test_tasks_that_write_at_once_lose_nothing() -> None:
    body = """
      res:set_transfer("chunked")
      local done = channel.new(50)
      for i = 1, 50 do
        coroutine.spawn(function()
          for _ = 1, 20 do res:write("x"); res:flush() end
          done:send(true)
        end)
      end
      for i = 1, 50 do done:receive() end"""
    async with desk(body) as it:
        client = Client()
        await it.ask(outlet=client)
        assert client.text == "x" * 1000


# --- failures --------------------------------------------------------------------------------------


async def test_a_function_that_fails_answers_nothing_of_what_it_wrote() -> None:
    async with desk('res:write("half"); error("broken")') as it:
        client = Client()
        assert "broken" in (await it.fails(outlet=client)).message and not client.status


async def test_a_function_that_fails_behind_pieces_fails() -> None:
    async with desk('res:write("half"); res:flush(); res:write("more"); return nil, "broken"') as it:
        client = Client()
        assert "broken" in (await it.fails(outlet=client)).message
        assert client.pieces == [b"half"]


async def test_a_function_is_not_tried_again_behind_what_it_wrote() -> None:
    body = 'res:write("x"); res:flush(); return nil, errors.new({message = "later", kind = errors.UNAVAILABLE})'
    options = {"options": {"retry": {"max_attempts": 5, "initial_delay": "1ms"}}}
    async with desk(entry(body, meta=options)) as it:
        client = Client()
        assert (await it.fails(outlet=client)).message == "later" and client.pieces == [b"x"]


async def test_a_handler_that_is_canceled_ends_its_exchange() -> None:
    async with desk('res:write("x"); res:flush(); time.sleep("1h")') as it:
        client = Client()
        task = asyncio.create_task(it.ask(outlet=client))
        await asyncio.wait_for(client.heard.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not it.serving._exchanges


# --- who may use it --------------------------------------------------------------------------------


async def test_functions_that_the_handler_calls_answer_with_it() -> None:
    inner = entry('res:write(req:path() .. ",")', "app:inner")
    async with desk(entry('res:write("a,"); funcs.call("app:inner"); res:write("b")'), inner) as it:
        assert (await it.ask()).body == b"a,/hooks/x,b"


async def test_code_that_answers_no_request_has_none() -> None:
    body = """
      for _, get in ipairs {http.request, http.response} do
        local value, err = get()
        assert(value == nil and err:kind() == errors.INTERNAL and err:message():find("no HTTP context"))
      end
      return true"""
    async with desk(lua("app:plain", body, modules=["http"])) as it:
        assert await it.lab.call("app:plain") is True
        assert await it.lab.call("app:plain", context={CONTEXT_KEY: "forged"}) is True
        assert await it.lab.call("app:plain", context={CONTEXT_KEY: [1]}) is True


async def test_the_context_is_no_business_of_code() -> None:
    body = """
      assert(not pcall(function() return funcs.new():with_context({["@http"] = "x"}) end))
      for key in pairs(ctx.all()) do error(key) end"""
    async with desk(body) as it:
        assert (await it.ask()).status == 200


LATE = """
  local req, res = assert(http.request()), assert(http.response())
  local stream = assert(req:stream())
  process.send(..., "ready", process.pid())
  local go = process.listen("go"):receive()
  local function over(value, err)
    err = err or value
    assert(err:kind() == errors.INVALID and err:details().type == http.ERROR.INVALID_STATE, err)
  end
  over(res:write("late"))
  over(res:flush())
  over(res:write_json({}))
  over(res:write_event({name = "late", data = 1}))
  over(res:set_status(500))
  over(res:set_header("X", "late"))
  over(res:set_transfer("sse"))
  over(req:body())
  over(req:body_json())
  over(req:parse_multipart())
  over(req:stream())
  local data, err = stream:read()
  assert(data == nil and err:details().type == http.ERROR.STREAM_ERROR, err)
  assert(select(2, http.request()):message():find("no HTTP context"))
  assert(select(2, http.response()):message():find("no HTTP context"))
  assert(req:path() == "/hooks/x", "what was read is known")
  return "refused"
"""


async def test_after_the_handler_has_ended_nothing_can_be_read_or_written() -> None:
    late = lua("app:late", LATE, "process.lua", modules=["http"])
    handler = entry("""
      local ready = process.listen("ready")
      local pid = assert(process.spawn("app:late", "app:procs", process.pid()))
      ready:receive()
      res:write(pid)""")
    async with desk(handler, late) as it:
        answer = await it.ask(request(b"{}"))
        pid = answer.body.decode()
        host = it.lab.node.host("app:procs")
        assert host is not None
        ended: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        await host.watch(pid, "test", ended.set_result)
        await host.send(pid, "go", (), "")
        exited = await asyncio.wait_for(ended, PATIENCE)
        assert getattr(exited, "value", None) == "refused", exited


async def test_requests_at_once_are_kept_apart() -> None:
    body = 'local n = req:param("n"); time.sleep("10ms"); for i = 1, 20 do res:write(n) end'
    async with desk(body) as it:
        answers = await asyncio.gather(*(it.ask(request(params={"n": str(n)}, id="same")) for n in range(10, 40)))
        assert [each.body for each in answers] == [str(n).encode() * 20 for n in range(10, 40)]


async def test_a_target_that_is_not_there_is_not_found() -> None:
    async with desk() as it:
        assert (await it.fails(GET, target="app:gone")).kind == "NotFound"
