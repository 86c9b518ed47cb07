-- Messages (docs/lua.md#process-message).
local k = ...
local raw = k.raw
local type = raw.type
local S = k.S

local message_methods = {}
local message_class

-- Unknown fields read the first payload: msg.approved. Methods win.
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
