-- Payloads and messages (lua-api 5.1, 11).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error
local S = k.S

local methods = {}
local class = k.class("payload", methods, {
  __tostring = function(self) return "payload{format=" .. self[S].format .. "}" end,
})

local lib = {
  JSON = "json/plain", YAML = "yaml/plain", STRING = "text/plain", BYTES = "application/octet-stream",
  MSGPACK = "application/msgpack", LUA = "lua/any", GOLANG = "golang/any", ERROR = "golang/error",
}

function k.payload(value, format)
  return k.new(class, { value = value, format = format or (k.is_error(value) and lib.ERROR or lib.LUA) })
end

function lib.new(value) return k.payload(value) end

local function state_of(self) return k.self(self, class, "payload") end

function methods.get_format(self) return state_of(self).format end
function methods.data(self) return state_of(self).value end
function methods.unmarshal(self)
  local state = state_of(self)
  if state.format == lib.JSON then return k.service("json.decode", state.value) end
  return state.value, nil
end

local function to_text(state)
  if state.format == lib.LUA and type(state.value) ~= "string" then
    return nil, k.invalid("cannot transcode " .. type(state.value) .. " to text")
  end
  return state.value
end

local transcoders = {
  [lib.JSON] = function(state) return k.service("json.encode", state.value) end,
  [lib.STRING] = to_text,
  [lib.BYTES] = to_text,
  [lib.LUA] = function(state)
    if state.format == lib.JSON then return k.service("json.decode", state.value) end
    return state.value
  end,
}

--- Another payload with the value in the named format, or nil and an error.
function methods.transcode(self, format)
  local state = state_of(self)
  if format == state.format then return self end
  local transcode = transcoders[format]
  if not transcode then
    return nil, k.invalid("cannot transcode " .. state.format .. " to " .. k.std.tostring(format))
  end
  local value, err = transcode(state)
  if err then return nil, err end
  return k.payload(value, format)
end

k.std.payload = k.library(lib)

-- --- messages ---------------------------------------------------------------------------------

local message_methods = {}
local message_class

-- Unknown fields read the first payload: msg.approved (the seed's style). Methods win.
local function message_index(self, key)
  local method = message_methods[key]
  if method then return method end
  local first = self[S].payloads[1]
  if type(first) == "table" and not k.is_object(first) then return first[key] end
end

message_class = k.class("message", message_methods, {
  __index = message_index,
  __tostring = function(self) return "process.Message{topic=" .. self[S].topic .. "}" end,
})

--- A message of a topic, a sender ("" when none) and payloads (a list with n).
function k.message(topic, sender, payloads)
  return k.new(message_class, { topic = topic, sender = sender, payloads = payloads })
end

function message_methods.topic(self) return k.self(self, message_class, "message").topic end
function message_methods.from(self) return k.self(self, message_class, "message").sender end

function message_methods.payload(self)
  local payloads = k.self(self, message_class, "message").payloads
  if payloads.n == 0 then return nil end
  if payloads.n == 1 then return k.payload(payloads[1]) end
  local list = {}
  for i = 1, payloads.n do list[i] = k.payload(payloads[i]) end
  return list
end

--- The raw form: one payload is its value, several are an array, none is nil.
function k.raw_payloads(payloads)
  if payloads.n <= 1 then return payloads[1] end
  local list = {}
  for i = 1, payloads.n do list[i] = payloads[i] end
  return list
end
