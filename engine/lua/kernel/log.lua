-- Log lines.
local k = ...
local raw, std = k.raw, k.std

function k.log(level, message, fields, name)
  local ok, why = k.put("log", level, message, fields or {}, name or "")
  if ok then return end -- a circle, or a size, must not cost the line
  k.put("log", level, raw.string.sub(message, 1, 1000), { fields = why }, name or "")
end

function std.print(...)
  local parts = {}
  for i = 1, raw.select("#", ...) do parts[i] = std.tostring((raw.select(i, ...))) end
  k.log("info", raw.table.concat(parts, " "))
end
