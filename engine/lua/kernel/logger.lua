-- Structured logging (docs/lua.md#logger). Hosts that replay mute it.
local k = ...
local raw = k.raw
local methods = {}
local class = k.class("logger", methods)

local function writer(level)
  return function(self, message, fields)
    local state = k.self(self, class, "logger")
    local all = raw.type(fields) == "table" and k.merged(state.fields, fields) or state.fields
    k.log(level, k.std.tostring(message), all, state.name)
  end
end

for _, level in raw.ipairs { "debug", "info", "warn", "error" } do methods[level] = writer(level) end

--- A logger that adds these fields to each line.
function methods.with(self, fields)
  local state = k.self(self, class, "logger")
  if raw.type(fields) ~= "table" then raw.error("logger:with: table expected", 2) end
  return k.new(class, { name = state.name, fields = k.merged(state.fields, fields) })
end

function methods.named(self, name)
  local state = k.self(self, class, "logger")
  if raw.type(name) ~= "string" or name == "" then raw.error("logger:named: name (non-empty string) expected", 2) end
  return k.new(class, { name = state.name == "" and name or state.name .. "." .. name, fields = state.fields })
end

k.modules.logger = k.new(class, { name = "", fields = {} })
