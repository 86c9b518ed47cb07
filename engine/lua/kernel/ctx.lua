-- Inherited context values (docs/lua.md#ctx).
local k = ...

local lib = {}

function lib.get(key)
  if k.raw.type(key) ~= "string" then k.raw.error("ctx.get: key (string) expected", 2) end
  if key == "" then return nil, k.invalid("empty key") end
  local value = k.context[key]
  if value == nil then return nil, k.failure("NotFound", "key not found: " .. key, false) end
  return k.copied(value), nil
end

function lib.all() return k.copied(k.context), nil end

k.modules.ctx = k.library(lib)
