-- Payloads (docs/lua.md#payload).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error
local S = k.S

local methods = {}
local class = k.class("payload", methods, {
  __tostring = function(self) return "payload{format=" .. self[S].format .. "}" end,
})

local JSON, YAML, STRING, BYTES = "json/plain", "yaml/plain", "text/plain", "application/octet-stream"
local MSGPACK, LUA, GOLANG, ERROR = "application/msgpack", "lua/any", "golang/any", "golang/error"

--- A table with the names of the formats.
local function with_formats(t)
  t.JSON, t.YAML, t.STRING, t.BYTES, t.MSGPACK, t.LUA, t.GOLANG, t.ERROR = JSON, YAML, STRING, BYTES, MSGPACK, LUA, GOLANG, ERROR
  return t
end

--- `value` is what the format holds: a text of JSON, or the Lua value itself. Other units get `plain`, a Lua value always.
local function payload(value, format, plain)
  return k.new(class, { value = value, format = format, plain = plain })
end

function k.payload(value) return payload(value, k.is_error(value) and ERROR or LUA, value) end

local function state_of(self) return k.self(self, class, "payload") end

function methods.get_format(self) return state_of(self).format end

-- --- transcoding ------------------------------------------------------------------------------

local encoded = { [JSON] = "json", [YAML] = "yaml", [MSGPACK] = "msgpack" }

local function codec(format) return k.codecs[encoded[format]] end

--- The Lua value of a payload, or nil and an error.
local function unmarshalled(state)
  if encoded[state.format] then return codec(state.format).decode(state.value) end
  return state.value, nil
end

function methods.data(self)
  local state = state_of(self)
  if k.version < 2 then return state.value end
  local value, err = unmarshalled(state)
  if err ~= nil then return nil, err end
  return value -- and no second result: it is passed on, as in process.send(pid, topic, payload:data())
end

-- What an encoded payload holds is text or bytes already: it is not encoded again.
local function as_text(state, format)
  if k.is_error(state.value) then return state.value:message() end
  if type(state.value) == "string" and not (format == STRING and state.format == MSGPACK) then return state.value end
  return nil, k.failure("Internal", "cannot transcode " .. state.format .. " (" .. k.std.type(state.value) .. ") to " .. format, false)
end

local function as_error(state)
  if k.is_error(state.value) then return state.value end
  local message, err = as_text(state, STRING)
  if not message then return nil, err end
  return k.make_error { message = message }
end

local transcoders = { [STRING] = as_text, [BYTES] = as_text, [LUA] = unmarshalled, [GOLANG] = unmarshalled, [ERROR] = as_error }

local function encode(state, format)
  local value, err = unmarshalled(state)
  if err then return nil, err end
  return codec(format).encode(value)
end

for format in raw.next, encoded do transcoders[format] = encode end

--- Another payload with the value in the named format, or nil and an error.
function methods.transcode(self, format)
  local state = state_of(self)
  if format == state.format then return self, nil end
  local transcode = transcoders[format]
  if not transcode then
    return nil, k.failure("Internal", "cannot transcode " .. state.format .. " to " .. k.std.tostring(format), false)
  end
  local value, err = transcode(state, format)
  if err then return nil, err end
  return payload(value, format, encoded[format] and state.plain or value), nil
end

function methods.unmarshal(self) return unmarshalled(state_of(self)) end

k.std.payload = k.library(with_formats {
  new = function(value) return k.payload(value) end,
  format = k.library(with_formats {}),
})
