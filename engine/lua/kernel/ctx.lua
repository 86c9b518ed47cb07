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

--- Without what begins with @: from version 2 on that is the product's own.
function lib.all()
  local values = k.copied(k.context)
  if k.version < 2 then return values, nil end
  for key in k.raw.next, values do
    if k.raw.string.sub(key, 1, 1) == "@" then values[key] = nil end
  end
  return values, nil
end

k.modules.ctx = k.library(lib)
