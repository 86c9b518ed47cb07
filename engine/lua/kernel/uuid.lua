-- UUIDs (docs/lua.md#uuid); random ones take their bits from the unit's own source, so that a replay repeats them.
local k = ...
local lib = {}

local function maker(name)
  return function(...) return k.service("uuid." .. name, ...) end
end

for _, name in k.raw.ipairs { "v1", "v3", "v4", "v5", "v7", "version", "variant", "parse", "format" } do
  lib[name] = maker(name)
end

function lib.validate(text)
  if k.raw.type(text) ~= "string" then return false end
  return (k.service("uuid.validate", text)) == true
end

k.modules.uuid = k.library(lib)
