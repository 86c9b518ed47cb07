--- 11.14 http_client
local M = {}

local function said(resp, err)
  assert(resp, err and err:message())
  assert(resp.status_code == 200, resp.status_code)
  return json.decode(resp.body), resp
end

local function fails(kind, resp, err)
  assert(resp == nil and err, "it must fail")
  assert(err:kind() == kind, err:kind() .. ": " .. err:message())
  return err
end

-- on: function process
-- modules: http_client env json
--- Every method has its function; request() takes any
function M.methods()
  local base = env.get("CONF_HTTP")
  for _, name in ipairs { "get", "post", "put", "patch", "delete" } do
    local got = said(http_client[name](base .. "/things/1"))
    assert(got.method == name:upper() and got.path == "/things/1", got.method)
  end
  assert(said(http_client.request("PROPFIND", base .. "/x", { headers = { Depth = "1" } })).headers.depth == "1")
  local resp = http_client.head(base .. "/x")
  assert(resp.status_code == 200 and resp.body == "" and resp.headers["Content-Type"] == "application/json")
end

-- on: function process
-- modules: http_client env json
--- A response has its status, body, size, headers, cookies and final URL, also when the status is an error's
function M.response()
  local base = env.get("CONF_HTTP")
  local _, resp = said(http_client.get(base .. "/x?a=1"))
  assert(resp.body_size == #resp.body and resp.cookies.seen == "yes" and resp.url == base .. "/x?a=1")
  assert(resp.stream == nil)
  local lost, err = http_client.get(base .. "/status/404")
  assert(lost.status_code == 404 and lost.body == "so it is" and err == nil)
end

-- on: function process
-- modules: http_client env json
--- Query, headers, cookies, credentials and body reach the peer
function M.options()
  local base = env.get("CONF_HTTP")
  local got = said(http_client.post(base .. "/x", {
    query = { q = "lua & co", page = 2 },
    headers = { ["X-Own"] = "yes", ["Content-Type"] = "text/plain" },
    cookies = { session = "abc" },
    auth = { user = "ann", pass = "secret" },
    body = "h\xC3\xA4llo",
  }))
  assert(got.query.q == "lua & co" and got.query.page == "2")
  assert(got.headers["x-own"] == "yes" and got.headers["content-type"] == "text/plain")
  assert(got.headers.cookie == "session=abc" and got.headers.authorization == "Basic YW5uOnNlY3JldA==")
  assert(#got.body == 8 and got.headers["content-length"] == "6", "six bytes, two of them read as latin-1")
end

-- on: function process
-- modules: http_client env json
--- A form is encoded, with files as parts
function M.forms()
  local base = env.get("CONF_HTTP")
  local got = said(http_client.post(base .. "/x", { form = { name = "ann & bob", n = 1 } }))
  assert(got.body == "n=1&name=ann+%26+bob" and got.headers["content-type"] == "application/x-www-form-urlencoded")
  got = said(http_client.post(base .. "/x", {
    form = { title = "Report" },
    files = { { name = "attachment", filename = "report.pdf", content = "%PDF" } },
  }))
  assert(got.headers["content-type"]:find("^multipart/form%-data; boundary="))
  assert(got.body:find('name="title"', 1, true) and got.body:find('filename="report.pdf"', 1, true))
  assert(got.body:find("application/octet-stream", 1, true) and got.body:find("%PDF", 1, true))
end

-- on: function process
-- modules: http_client env json
--- Redirects are followed; what is no GET becomes one, unless the status keeps it
function M.redirects()
  local base = env.get("CONF_HTTP")
  local got, resp = said(http_client.post(base .. "/redirect/done", { body = "x" }))
  assert(got.method == "GET" and got.path == "/done" and got.body == "" and resp.url == base .. "/done")
  got = said(http_client.post(base .. "/keep/again", { body = "x" }))
  assert(got.method == "POST" and got.path == "/again" and got.body == "x")
  local err = fails("LimitExceeded", http_client.get(base .. ("/redirect"):rep(12)))
  assert(err:message():find("more than 10 redirects", 1, true), err:message())
end

-- on: function process
-- modules: http_client env json
--- Another origin gets no credentials and cookies
function M.other_origins()
  local base = env.get("CONF_HTTP")
  local options = { headers = { Authorization = "Bearer s", ["X-Key"] = "s", Accept = "text/plain" }, cookies = { c = "s" } }
  local got, resp = said(http_client.get(base .. "/away/x", options))
  assert(resp.url:find("//localhost:", 1, true), resp.url)
  assert(got.headers.authorization == nil and got.headers.cookie == nil and got.headers["x-key"] == nil)
  assert(got.headers.accept == "text/plain")
  got = said(http_client.get(base .. "/redirect/x", options))
  assert(got.headers.authorization == "Bearer s" and got.headers.cookie == "c=s", "the same one keeps them")
end

-- on: function process
-- modules: http_client env
--- Private addresses are refused unless they are allowed, however they are written or redirected to
function M.private_addresses()
  for _, host in ipairs { "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0x0a000001" } do
    local err = fails("PermissionDenied", http_client.get("http://" .. host .. "/"))
    assert(err:message():find("not allowed: private IP", 1, true) or host == "0x0a000001", err:message())
    assert(err:retryable() == false)
  end
  fails("PermissionDenied", http_client.get(env.get("CONF_HTTP") .. "/inside"))
  fails("PermissionDenied", http_client.get("http://docker/", { unix_socket = "/var/run/docker.sock" }))
end

-- on: function process
-- modules: http_client
--- What is no URL or option is Invalid, and nothing is sent
function M.invalid()
  local any = "http://10.0.0.1/"
  for _, url in ipairs { "", "nowhere", "ftp://a/", "http://", "http://a b/", "http://a/\r\nX: y" } do
    assert(fails("Invalid", http_client.get(url)):retryable() == false)
  end
  for _, options in ipairs {
    { headers = { X = "a\r\nEvil: 1" } }, { headers = { ["X\n"] = "a" } }, { cookies = { a = "b; c=d" } },
    { timeout = "soon" }, { timeout = -1 }, { auth = { pass = "x" } }, { body = {} }, { form = "x" },
    { files = { { name = "x" } } }, { tls = { cert = "x" } }, { max_response_body = -1 }, { unix_socket = "x" },
    { overlay_network = "app:proxy" }, "text",
  } do
    fails("Invalid", http_client.post(any, options))
  end
  fails("Invalid", http_client.request("GET /", any))
  assert(not pcall(http_client.get) and not pcall(http_client.request, "GET"))
end

-- on: function process
-- modules: http_client env
--- A peer that keeps silent costs the timeout, one that is not there an error; both may be tried again
function M.failures()
  local base = env.get("CONF_HTTP")
  local err = fails("Internal", http_client.get(base .. "/silent?token=hidden", { timeout = "1s" }))
  assert(err:retryable() == true and err:message() == "GET " .. base .. "/silent: timeout after 1 s", err:message())
  err = fails("Internal", http_client.get("http://127.0.0.1:1/", { timeout = 5 }))
  assert(err:retryable() == true and err:message():find("refused", 1, true), err:message())
end

-- on: function process
-- modules: http_client env
--- A body that is larger than allowed is an error, a packed one is unpacked
function M.bodies()
  local base = env.get("CONF_HTTP")
  assert(http_client.get(base .. "/large").body_size == 1048576)
  fails("LimitExceeded", http_client.get(base .. "/large", { max_response_body = 1000 }))
  local resp = http_client.get(base .. "/packed")
  assert(resp.body == ("packed "):rep(1000) and resp.headers["Content-Encoding"] == nil)
  fails("LimitExceeded", http_client.get(base .. "/packed", { max_response_body = 1000 }))
  local huge = { "GET", base .. "/large" }
  local responses, errs = http_client.request_batch({ huge, huge, huge, huge, huge, huge, huge, huge, huge })
  assert(#responses == 7 and errs[1] == false and errs[8]:kind() == "LimitExceeded")
end

-- on: function process
-- modules: http_client env
--- A stream is read by pieces, tells where it is, and can be closed twice
function M.streams()
  local base = env.get("CONF_HTTP")
  local resp = assert(http_client.get(base .. "/large", { stream = true }))
  assert(resp.body == nil and resp.body_size == -1 and type(resp.stream) == "userdata")
  local size = 0
  while true do
    local chunk, err = resp.stream:read(65536)
    assert(not err, err)
    if not chunk then break end
    assert(#chunk <= 65536)
    size = size + #chunk
  end
  local stat = resp.stream:stat()
  assert(size == 1048576 and stat.size == size and stat.position == size and stat.writable == false)
  assert(resp.stream:read() == nil and resp.stream:close() == true and resp.stream:close() == true)
  local data, err = resp.stream:read()
  assert(data == nil and err:kind() == errors.INTERNAL and err:message() == "stream is closed", tostring(err))
  assert(select(2, resp.stream:write("x")):kind() == errors.INTERNAL)
  assert(select(2, resp.stream:seek("set", 0)):kind() == errors.INTERNAL)
  assert(select(2, resp.stream:seek("x", 0)):kind() == errors.INVALID)
end

-- on: function process
-- modules: http_client env
--- A scanner splits a stream into lines, words, bytes or runes
function M.scanners()
  local base = env.get("CONF_HTTP")
  local function tokens(split)
    local scanner, found = http_client.get(base .. "/lines", { stream = true }).stream:scanner(split), {}
    while scanner:scan() do found[#found + 1] = scanner:text() end
    assert(scanner:err() == nil)
    return found
  end
  assert(table.concat(tokens("lines"), "|") == "one|two words|thr\xC3\xA9e")
  assert(table.concat(tokens("words"), "|") == "one|two|words|thr\xC3\xA9e")
  assert(#tokens("bytes") == 21 and #tokens("runes") == 20)
  local _, err = http_client.get(base .. "/lines", { stream = true }).stream:scanner("pages")
  assert(err:kind() == errors.INVALID)
end

-- on: function process
-- modules: http_client env json
--- A batch answers in the order of its requests, and tells the errors beside
function M.batches()
  local base = env.get("CONF_HTTP")
  local responses, errs = http_client.request_batch({
    { "GET", base .. "/a" }, { "POST", base .. "/redirect/b", { body = "x" } }, { "GET", base .. "/c" },
  })
  assert(errs == nil and #responses == 3)
  assert(json.decode(responses[1].body).path == "/a" and json.decode(responses[2].body).path == "/b")
  responses, errs = http_client.request_batch({ { "GET", base .. "/a" }, { "GET", "http://10.0.0.1/" }, { "GET" },
    { "GET", base .. "/a", { stream = true } } })
  assert(responses[1].status_code == 200 and errs[1] == false)
  assert(errs[2]:kind() == errors.PERMISSION_DENIED and errs[3]:kind() == errors.INVALID)
  assert(errs[4]:kind() == errors.INVALID and responses[2] == nil)
end

-- on: function process
-- modules: http_client env json
--- TLS is checked: an authority of one's own is named, or the checks are left out
function M.tls()
  local base, ca = env.get("CONF_HTTPS"), env.get("CONF_CA")
  local err = fails("Internal", http_client.get(base .. "/x"))
  assert(err:retryable() == false and err:message():find("certificate is not valid", 1, true), err:message())
  assert(said(http_client.get(base .. "/x", { tls = { ca = ca } })).path == "/x")
  assert(said(http_client.get(base .. "/x", { tls = { ca = ca, server_name = "peer.test" } })).path == "/x")
  fails("Internal", http_client.get(base .. "/x", { tls = { ca = ca, server_name = "other.test" } }))
  assert(said(http_client.get(base .. "/x", { tls = { insecure_skip_verify = true } })).path == "/x")
  fails("Invalid", http_client.get(base .. "/x", { tls = { ca = "no PEM" } }))
end

-- on: function process
-- modules: http_client
--- Texts are encoded for URLs, and decoded
function M.encoding()
  local text = "hello w\xC3\xB6rld/?&=+%~"
  assert(http_client.encode_uri("hello world") == "hello+world")
  assert(http_client.encode_uri(text) == "hello+w%C3%B6rld%2F%3F%26%3D%2B%25~", http_client.encode_uri(text))
  assert(http_client.decode_uri(http_client.encode_uri(text)) == text and http_client.decode_uri("%2f%2F") == "//")
  for _, wrong in ipairs { "%", "%2", "%zz", "a%g0" } do fails("Invalid", http_client.decode_uri(wrong)) end
end

-- on: function process
-- modules: http_client security funcs env
--- Policies decide about URLs, each redirect anew, private addresses and unchecked TLS
function M.policies()
  local http, https = env.get("CONF_HTTP"), env.get("CONF_HTTPS")
  local function by(...)
    local list = { security.policy("conf.http:callers") }
    for _, name in ipairs { ... } do list[#list + 1] = security.policy("conf.http:" .. name) end
    return funcs.new():with_actor(security.new_actor("user:ann")):with_scope(security.new_scope(list))
  end
  local function denied(caller, action, ...)
    local result, err = caller:call("conf.http:fetch", ...)
    assert(not result and err and err:kind() == errors.PERMISSION_DENIED, err and err:message() or "allowed")
    assert(err:details().action == action, err:details().action)
  end
  denied(by(), "http_client.request", http .. "/open/x")
  denied(by("open"), "http_client.private_ip", http .. "/open/x")
  local open = by("open", "private")
  assert(open:call("conf.http:fetch", http .. "/open/x") == 200)
  assert(open:call("conf.http:fetch", http .. "/open/%2e%2e/open/x") == 200)
  denied(open, "http_client.request", http .. "/open/%2e%2e/closed")
  denied(open, "http_client.request", http .. "/open/../closed")
  denied(open, "http_client.request", "http://127.0.0.1:1@localhost/open/")
  denied(by("private", "redirects"), "http_client.request", http .. "/redirect/closed")
  denied(by("tls", "private"), "http_client.insecure_tls", https .. "/open/x", { tls = { insecure_skip_verify = true } })
  denied(by("open"), "http_client.unix_socket", http .. "/open/x", { unix_socket = "/run/x.sock" })
end

-- on: function process
-- modules: http_client env time
--- A unit that is asked to stop gets Canceled from the requests under way; one that is terminated ends with them
function M.canceled()
  local begins, ended = process.listen("begins"), process.listen("ended")
  local pid = assert(process.spawn("conf.http:waits", "conf:processes", env.get("CONF_HTTP") .. "/silent", process.pid()))
  assert(begins:receive() == pid)
  local result
  repeat -- the request may not have begun yet
    assert(process.cancel(pid, "enough"))
    result = channel.select { ended:case_receive(), time.after("100ms"):case_receive() }
  until result.channel == ended
  assert(result.value[1] == errors.CANCELED and result.value[2] == false, tostring(result.value[1]))
  pid = assert(process.spawn("conf.http:waits", "conf:processes", env.get("CONF_HTTP") .. "/silent", process.pid()))
  assert(begins:receive() == pid and process.terminate(pid))
end

return M
