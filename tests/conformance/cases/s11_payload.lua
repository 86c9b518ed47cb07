--- 11 Small modules: payload
local M = {}

--- A new payload holds a Lua value, one of an error is golang/error
function M.new()
  local t = { 1 }
  local p = payload.new(t)
  assert(type(p) == "userdata" and p:get_format() == payload.LUA and p:data() == t and p:unmarshal() == t)
  assert(tostring(p) == "payload{format=lua/any}")
  assert(payload.new(nil):data() == nil and payload.new(false):data() == false and payload.new("x"):data() == "x")
  local err = errors.new("broken")
  local e = payload.new(err)
  assert(e:get_format() == payload.ERROR and e:data() == err and tostring(e) == "payload{format=golang/error}")
end

--- Formats have constants, also under payload.format
function M.constants()
  local formats = { JSON = "json/plain", YAML = "yaml/plain", STRING = "text/plain", BYTES = "application/octet-stream",
    MSGPACK = "application/msgpack", LUA = "lua/any", GOLANG = "golang/any", ERROR = "golang/error" }
  for name, format in pairs(formats) do assert(payload[name] == format and payload.format[name] == format, name) end
  assert(not pcall(function() payload.format.JSON = "x" end), "read only")
end

--- JSON, YAML and MessagePack hold text, and data and unmarshal read it
function M.encodes()
  local value = { id = 7, name = "é", list = { 1, 2.5, { deep = true } }, none = {} }
  for _, format in ipairs { payload.JSON, payload.YAML, payload.MSGPACK } do
    local p = assert(payload.new(value):transcode(format))
    assert(p:get_format() == format and p:data().id == 7, format)
    local back = assert(p:unmarshal())
    assert(back.id == 7 and back.name == "é" and back.list[2] == 2.5 and back.list[3].deep == true and #back.none == 0, format)
    assert(p:transcode(payload.LUA):data().id == 7, format)
  end
  assert(payload.new({ b = 1, a = { 2 } }):transcode(payload.JSON):transcode(payload.STRING):data() == '{"a":[2],"b":1}')
  assert(payload.new({ b = 1, a = { 2 } }):transcode(payload.MSGPACK):transcode(payload.BYTES):data() == "\130\161a\145\2\161b\1")
end

--- One encoded format goes into another through the value
function M.between_encoded_formats()
  local json = payload.new({ a = { 1, 2 } }):transcode(payload.JSON)
  local yaml = assert(json:transcode(payload.YAML))
  assert(yaml:transcode(payload.STRING):data() == "a:\n- 1\n- 2\n")
  assert(yaml:transcode(payload.MSGPACK):transcode(payload.JSON):data().a[2] == 2)
end

--- The text of an encoded payload can be had as text or bytes; a table can't
function M.text()
  local json = payload.new({ 1 }):transcode(payload.JSON)
  assert(json:transcode(payload.STRING):data() == "[1]" and json:transcode(payload.BYTES):get_format() == payload.BYTES)
  assert(payload.new("x"):transcode(payload.STRING):data() == "x")
  assert(payload.new("\255\0"):transcode(payload.BYTES):unmarshal() == "\255\0")
  assert(payload.new(errors.new("why")):transcode(payload.STRING):data() == "why")
  for _, format in ipairs { payload.STRING, payload.BYTES, payload.ERROR } do
    local p, err = payload.new({ 1 }):transcode(format)
    assert(p == nil and err:kind() == errors.INTERNAL and err:retryable() == false, format)
  end
end

--- A format that it has already, an error from a text, and the Go value
function M.other_formats()
  local p = payload.new("x")
  assert(p:transcode(payload.LUA) == p)
  assert(p:transcode(payload.ERROR):data():message() == "x")
  assert(payload.new({ 1 }):transcode(payload.GOLANG):unmarshal()[1] == 1)
end

--- An unknown format, and a value that a format can't hold, are Internal
function M.refuses()
  local p, err = payload.new(1):transcode("image/png")
  assert(p == nil and err:kind() == errors.INTERNAL and string.find(err, "image/png"))
  for _, format in ipairs { payload.JSON, payload.YAML, payload.MSGPACK } do
    local loop = {}
    loop[1] = loop
    p, err = payload.new(loop):transcode(format)
    assert(p == nil and err:kind() == errors.INTERNAL, format)
  end
  p, err = payload.new({ 1, nil, 3 }):transcode(payload.JSON)
  assert(p == nil and err:kind() == errors.INTERNAL)
end

--- A payload that is sent arrives as the value that it holds, whatever its format
function M.crosses_as_its_value()
  local inbox = process.inbox()
  local p = payload.new({ id = 7 })
  process.send(process.pid(), "t", p, p:transcode(payload.JSON), p:transcode(payload.MSGPACK), payload.new("x"):transcode(payload.STRING))
  local got = inbox:receive():payload()
  assert(got[1]:data().id == 7 and got[2]:data().id == 7 and got[3]:data().id == 7 and got[4]:data() == "x")
  assert(got[2]:get_format() == payload.LUA)
end

--- An error that is sent arrives as an error
function M.errors_cross()
  process.send(process.pid(), "t", errors.new({ message = "gone", kind = "NotFound", details = { id = 7 } }))
  local p = process.inbox():receive():payload()
  assert(p:get_format() == payload.ERROR and p:data():kind() == "NotFound" and p:data():details().id == 7)
end

return M
