-- string.gsub (std_string.lua loads it): matches one by one where the native one could do unbounded work.
local k = ...
local raw, lib = k.raw, k.lib
local error, pcall, unpack, type = raw.error, raw.pcall, raw.unpack, raw.type
local native, settle, coerce = raw.string, lib.settle, lib.coerce
local find, sub, byte, tointeger, pack = native.find, native.sub, native.byte, raw.math.tointeger, raw.table.pack
local charge, charge_bytes, with = k.charge, lib.charge_bytes, lib.with
local searcher, next_match, start_of = lib.searcher, lib.next_match, lib.start_of
local strings = lib.string

-- The text that a replacement string stands for; `found` is {first, last, captures...}.
local function expand(template, text, found)
  if not find(template, "%", 1, true) then return template end
  local parts, at = {}, 1
  while true do
    local mark = find(template, "%", at, true)
    if not mark then break end
    parts[#parts + 1] = sub(template, at, mark - 1)
    local digit = sub(template, mark + 1, mark + 1)
    local index = find(digit, "^%d") and raw.tonumber(digit)
    if digit == "%" then
      parts[#parts + 1] = "%"
    elseif not index then
      error("invalid use of '%' in replacement string", 0)
    elseif index == 0 or index == 1 and found.n == 2 then
      parts[#parts + 1] = sub(text, found[1], found[2])
    elseif index > found.n - 2 then
      error("invalid capture index %" .. index, 0)
    else
      parts[#parts + 1] = found[index + 2] or error("unfinished capture", 0)
    end
    at = mark + 2
  end
  parts[#parts + 1] = sub(template, at)
  local result = raw.table.concat(parts)
  charge_bytes(#result)
  return result
end

local function replacement(repl, kind, text, found)
  if kind == "string" then return lib.settle_inner("gsub", pcall(expand, repl, text, found)) end
  local whole = sub(text, found[1], found[2])
  local value
  if kind == "function" then
    if found.n == 2 then value = repl(whole) else value = repl(unpack(found, 3, found.n)) end
  elseif found.n == 2 then
    value = repl[whole]
  else
    value = repl[found[3]]
  end
  if not value then return whole end
  value = coerce(value)
  if type(value) ~= "string" then
    error("invalid replacement value (a " .. lib.typeof(value) .. ")", 3)
  end
  return value
end

-- Every match in turn; callbacks may yield, since nothing native is on the stack when they run.
local function substitute(text, p, repl, kind, limit)
  local search, anchored = kind == "string" and k.pattern.lenient(p) or searcher(text, p, 1), byte(p) == 94
  local parts, size, count, at, last = {}, 0, 0, 1, nil
  while count < limit and at <= #text + 1 do
    local found = pack(lib.settle_inner("gsub", pcall(next_match, search, text, p, at, last)))
    local first = found[1]
    if not first then break end
    count = count + 1
    local piece = replacement(repl, kind, text, found)
    parts[#parts + 1] = sub(text, at, first - 1)
    parts[#parts + 1] = piece
    size = size + first - at + #piece
    if size > lib.MAX_STRING then error("resulting string too large", 2) end
    at = found[2] + 1
    last = at
    if anchored then break end
  end
  parts[#parts + 1] = sub(text, at)
  charge_bytes(size + #text)
  return raw.table.concat(parts), count
end

-- A native gsub is enough for a short replacement string.
local function is_simple(text, p, repl, kind)
  if kind ~= "string" then return false end
  local most = (#text + 1) * (#repl + 1)
  if most >= 1 << 23 or most >= 1 << 16 and find(repl, "%", 1, true) then return false end
  if searcher(text, p, 1) ~= find then return false end
  if most >= 1 << 16 then charge(#text // 2) end
  return true
end

function strings.gsub(...)
  local text, p, repl, limit = ...
  text, p = coerce(text), coerce(p)
  local kind = lib.typeof(repl)
  if kind == "number" or kind == "userdata" then repl, kind = coerce(repl), "string" end
  local count = limit == nil and raw.math.huge or tointeger(raw.tonumber(limit))
  local odd = not start_of(text, p) or not count or kind ~= "string" and kind ~= "table" and kind ~= "function"
  if repl == nil then return settle("gsub", pcall(native.gsub, with(text, p, ...))) end
  if odd or is_simple(text, p, repl, kind) then
    return settle("gsub", pcall(native.gsub, text, p, repl, limit))
  end
  return substitute(text, p, repl, kind, count)
end
