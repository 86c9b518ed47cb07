-- Log lines.
local k = ...
local raw, std = k.raw, k.std

function k.log(level, message, fields, name)
  local ok, why = k.put("log", level, message, fields or {}, name or "")
  if not ok then k.put("log", level, message, { fields = why }, name or "") end -- a circle must not cost the line
end

function std.print(...)
  local parts = {}
  for i = 1, raw.select("#", ...) do parts[i] = std.tostring((raw.select(i, ...))) end
  k.log("info", raw.table.concat(parts, " "))
end
