--- 11.16 http
local M = {}

-- on: function
-- modules: http
--- A request has method, path, host, address, parameters of its path, and its query
function M.parts()
  local req = assert(http.request())
  assert(req:method() == http.METHOD.POST and req:path() == "/hooks/orders/7")
  assert(req:host() == "console.test" and req:remote_addr() == "192.0.2.7:4711")
  assert(req:param("id") == "7" and req:params().id == "7" and req:param("none") == nil)
  assert(req:query("tag") == "lua" and req:query("q") == "a b" and req:query("none") == nil)
  assert(req:query_params().tag == "lua,go")
end

-- on: function
-- modules: http
--- Headers are found in any case; several values of one name are joined
function M.headers()
  local req = assert(http.request())
  assert(req:header("X-REQUEST-ID") == "r-1" and req:header("x-many") == "1, 2" and req:header("none") == nil)
  assert(req:headers()["X-Request-Id"] == "r-1" and req:headers()["X-Many"] == "1, 2")
  assert(req:content_type() == "application/json; charset=utf-8" and req:content_length() == #req:body())
end

-- on: function
-- modules: http
--- Types are compared without parameters; what is accepted by name, by group, by weight
function M.types()
  local req = assert(http.request())
  assert(req:is_content_type("Application/JSON") and not req:is_content_type("application"))
  assert(req:accepts(http.CONTENT.JSON) and req:accepts("text/html") and not req:accepts("image/png"))
end

-- on: function
-- modules: http
--- A body can be read as text, as JSON and by streams, each from its beginning
function M.bodies()
  local req = assert(http.request())
  local data, err = req:body_json()
  assert(err == nil and data.name == "Ann" and data.items[2] == 2.5 and req:has_body())
  local stream = assert(req:stream())
  assert(stream:stat().size == req:content_length())
  assert(stream:read(5) == req:body():sub(1, 5) and stream:read() == req:body():sub(6) and stream:read() == nil)
  assert(assert(req:stream()):close() and req:body_json().name == "Ann")
end

-- on: function
-- modules: http
--- A body is bounded by the option of the request
function M.bounded_body()
  local req = assert(http.request({ max_body = 5, timeout = 1000 }))
  assert(select(2, req:body()):kind() == errors.INVALID and select(2, req:body_json()):kind() == errors.INVALID)
  assert(select(2, http.request({ max_body = 0 })):kind() == errors.INVALID)
end

-- on: function
-- modules: http
--- A form has values, and files with names, sizes, headers and streams
function M.forms()
  local form = assert(assert(http.request()):parse_multipart(8 * 1024 * 1024))
  assert(form.values.title == "Report" and form.values.tag[1] == "lua" and form.values.tag[2] == "go")
  assert(#form.files.avatar == 1 and #form.files.documents == 2 and form.files.title == nil)
  local first, second = form.files.documents[1], form.files.documents[2]
  assert(first:name() == "a.txt" and first:size() == 12 and first:header("content-TYPE") == "text/plain")
  assert(second:name() == "b.bin" and assert(second:stream()):read() == "\xFF\x00" and second:header("none") == nil)
  local lines = assert(assert(first:stream()):scanner("lines"))
  assert(lines:scan() and lines:text() == "first" and lines:scan() and lines:text() == "second" and not lines:scan())
end

-- on: function
-- modules: http
--- A body that is no form can't be parsed as one
function M.no_form()
  local req = assert(http.request())
  local form, err = req["parse_" .. "multipart"](req) -- in two words: cases that name it are asked with a form
  assert(form == nil and err:kind() == errors.INVALID and err:details().type == http.ERROR.PARSE_FAILED)
end

-- on: function
-- modules: http
--- Status and headers can be set in any order, until the first write; each call returns nil or an error
function M.head()
  local res = assert(http.response())
  assert(res:set_status(http.STATUS.CREATED) == nil and res:set_header("X-Own", "1") == nil)
  assert(res:set_content_type(http.CONTENT.TEXT) == nil and res:set_header("X-Own", 2) == nil)
  assert(res:set_status(99):kind() == errors.INVALID and res:set_header("a b", "c"):kind() == errors.INVALID)
  assert(res:set_header("X", "a\r\nb"):kind() == errors.INVALID)
  assert(res:write("hello") == nil and res:write_json({ a = 1 }) == nil)
  for _, err in ipairs { res:set_status(500), res:set_header("X", "y"), res:set_transfer(http.TRANSFER.SSE) } do
    assert(err:kind() == errors.INVALID and err:details().type == http.ERROR.INVALID_STATE)
  end
end

-- on: function
-- modules: http
--- What acts on the whole site or belongs to the connection can't be set
function M.kept_back()
  local res = assert(http.response())
  for _, name in ipairs { "Set-Cookie", "Clear-Site-Data", "Content-Security-Policy", "Connection", "Content-Length" } do
    assert(res:set_header(name, "x"):kind() == errors.INVALID, name)
  end
end

-- on: function
-- modules: http
--- Pieces are sent when they are flushed, events at once
function M.pieces()
  local res = assert(http.response())
  assert(res:write_event({ name = "progress", data = { percent = 50 } }) == nil)
  assert(res:write_event({ name = "done", data = "x" }) == nil and res:write(": a comment\n\n") == nil and res:flush() == nil)
  assert(res:set_status(500):kind() == errors.INVALID)
  assert(res:write_event({ name = "a\nb", data = 1 }):kind() == errors.INVALID)
  assert(res:write_event({ name = "a" }):kind() == errors.INVALID)
end

-- on: process
-- modules: http
--- Code that answers no request has none
function M.no_context()
  for _, get in ipairs { http.request, http.response } do
    local value, err = get()
    assert(value == nil and err:kind() == errors.INTERNAL and not err:retryable())
    assert(err:message():find("no HTTP context", 1, true))
  end
end

return M
