-- Inherited context values (lua-api 10).
local k = ...

local function copy_of(v)
  if k.raw.type(v) ~= "table" or k.is_object(v) then return v end
  local t = {}
  for key, value in k.raw.next, v do t[key] = copy_of(value) end
  return t
end

local lib = {}

function lib.get(key)
  if k.raw.type(key) ~= "string" then k.raw.error("ctx.get: key (string) expected", 2) end
  if key == "" then return nil, k.invalid("empty key") end
  local value = k.context[key]
  if value == nil then return nil, k.failure("NotFound", "key not found: " .. key, false) end
  return copy_of(value), nil
end

function lib.all() return copy_of(k.context), nil end

k.modules.ctx = k.library(lib)
