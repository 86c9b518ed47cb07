-- Log lines.
local k = ...
local raw, std = k.raw, k.std

local SHORT = 1000

-- A line that can't be put as it is comes short, with the reason; where a step has no room for that either, it says so
-- once and leaves out the rest.
local function shortened(level, message, why, name)
  if k.version > 1 then name = raw.string.sub(name, 1, SHORT) end
  local ok, full = k.put("log", level, raw.string.sub(message, 1, SHORT), { fields = why }, name)
  if ok or k.silenced then return end
  k.silenced = true
  k.hand("log", "warn", "this step has no room for more log lines: they are left out from here on", { fields = full }, name)
end

function k.log(level, message, fields, name)
  local ok, why = k.put("log", level, message, fields or {}, name or "")
  if not ok then return shortened(level, message, why, name or "") end
end

function std.print(...)
  local parts = {}
  for i = 1, raw.select("#", ...) do parts[i] = std.tostring((raw.select(i, ...))) end
  k.log("info", raw.table.concat(parts, " "))
end
