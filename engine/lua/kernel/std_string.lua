-- The string library: kernel objects count as strings, no call does unbounded native work.
local k = ...
local raw, lib = k.raw, k.lib
local type, error, pcall, select, unpack = raw.type, raw.error, raw.pcall, raw.select, raw.unpack
local native, settle, coerce, refuse = raw.string, lib.settle, lib.coerce, lib.refuse
local find, sub, byte = native.find, native.sub, native.byte
local math_type, tointeger, floor = raw.math.type, raw.math.tointeger, raw.math.floor
local charge, charge_bytes, pack, with = k.charge, lib.charge_bytes, raw.table.pack, lib.with
local bytes_of, length_between = lib.bytes_of, lib.length_between

local strings = {}
lib.string = strings

-- Simple functions ----------------------------------------------------------------------------

for _, name in raw.ipairs { "upper", "lower", "reverse" } do
  local whole = native[name]
  strings[name] = function(...)
    local text, second = ...
    if type(text) ~= "string" then text = coerce(text) end
    if type(text) ~= "string" then return settle(name, pcall(whole, with(text, second, ...))) end
    charge_bytes(#text)
    return whole(text)
  end
end

function strings.len(...)
  local text, second = ...
  if type(text) == "string" then return #text end
  return settle("len", pcall(native.len, with(coerce(text), second, ...)))
end

-- Charges the bytes from one place to another.
local function charge_between(text, from, to)
  if #text >= 4096 then charge_bytes(length_between(text, from, to)) end
end

function strings.sub(...)
  local text, from, to = ...
  if type(text) == "string" and math_type(from) == "integer" and math_type(to) == "integer" then
    if from > 0 and to > 0 and to - from < 4096 then return sub(text, from, to) end -- often, so in few steps, as below
  end
  if type(text) ~= "string" then text = coerce(text) end
  if type(text) == "string" then charge_between(text, from, to) end
  if from == nil then return settle("sub", pcall(sub, with(text, from, ...))) end
  return settle("sub", pcall(sub, text, from, to))
end

function strings.byte(...)
  local text, from, to = ...
  if to == nil and math_type(from) == "integer" and type(text) == "string" then return byte(text, from) end
  if type(text) ~= "string" then text = coerce(text) end
  if type(text) == "string" and to ~= nil and #text > 64 then charge(length_between(text, from, to) // 2) end
  if text == nil then return settle("byte", pcall(byte, with(text, from, ...))) end
  return settle("byte", pcall(byte, text, from, to))
end

function strings.char(...)
  return settle("char", pcall(native.char, ...))
end

function strings.rep(...)
  local text, count, separator = ...
  text, separator = coerce(text), coerce(separator)
  local times = tointeger(count)
  if type(text) == "string" and times and times > 0 then
    local size = (#text + (type(separator) == "string" and #separator or 0)) * (times + 0.0)
    if size > lib.MAX_STRING then error("resulting string too large", 2) end
    if size == 0 then return "" end -- natively a loop of `count` empty steps
    charge_bytes(floor(size))
    charge(times // 4)
  end
  if count == nil then return settle("rep", pcall(native.rep, with(text, count, ...))) end
  return settle("rep", pcall(native.rep, text, count, separator))
end

-- A format such as c1000000 pads natively; the sizes in it are capped.
function strings.pack(...)
  local template, second = coerce((...)), (select(2, ...))
  if type(template) == "string" then
    local size = 0
    for digits in native.gmatch(template, "%d+") do size = size + raw.tonumber(digits) end
    if size > lib.MAX_STRING then error("resulting string too large", 2) end
    charge_bytes(floor(size) + #template * 64 + bytes_of(...) // 4)
  end
  return settle("pack", pcall(native.pack, with(template, second, ...)))
end

-- Passes results on, once their bytes are paid.
local function paid_values(ok, ...)
  if ok then charge_bytes(bytes_of(...) // 4) end
  return ok, ...
end

function strings.unpack(...)
  local template, text = ...
  template, text = coerce(template), coerce(text)
  if type(template) == "string" then charge_bytes(#template * 64) end
  return settle("unpack", paid_values(pcall(native.unpack, with(template, text, ...))))
end

function strings.packsize(...)
  local template = coerce((...))
  if type(template) == "string" then charge_bytes(#template * 64) end
  return settle("packsize", pcall(native.packsize, with(template, nil, ...)))
end

-- format --------------------------------------------------------------------------------------

-- The value as the native conversion wants it.
local function format_value(conversion, value)
  if conversion == "s" then return lib.tostring(value) end
  if conversion == "p" then
    local kind = type(value)
    return (kind == "nil" or kind == "boolean" or kind == "number") and "(null)" or lib.address(value)
  end
  local number = find("diuxXoc", conversion, 1, true) and raw.tonumber(value)
  if number and math_type(number) == "float" and number == number and number - number == 0 then
    return tointeger(number < 0 and -floor(-number) or floor(number)) or value
  end
  return value
end

-- Rewrites the arguments (from the second on) for the conversions of `template`; returns it (%p becomes %s, unless the
-- native function will refuse it) and the size added.
local function prepare(template, values)
  local index, size, at = 1, #template, find(template, "%", 1, true)
  while at do
    local stop = at + 1
    while find(sub(template, stop, stop), "^[-+ #0-9.]") and stop - at < 32 do stop = stop + 1 end
    local conversion = sub(template, stop, stop)
    if conversion ~= "%" and conversion ~= "" then
      index = index + 1
      if index <= values.n then
        values[index] = format_value(conversion, values[index])
        if conversion == "p" and find(sub(template, at + 1, stop), "^%-*%f[1-9p]%d?%d?p") then
          template = sub(template, 1, stop - 1) .. "s" .. sub(template, stop + 1)
        end
        if type(values[index]) == "string" then size = size + #values[index] * (conversion == "q" and 4 or 1) end
      end
    end
    at = find(template, "%", stop + 1, true)
  end
  return template, size
end

-- An upper bound of the size when the native function can take the values as they are; otherwise nil.
local function plain_size(template, values)
  if find(template, "p", 1, true) then return nil end
  local size = #template
  for i = 2, values.n do
    local value = values[i]
    if type(value) == "string" then
      size = size + #value * 4
    elseif math_type(value) ~= "integer" then
      return nil
    end
  end
  return size < 1 << 20 and size or nil
end

function strings.format(...)
  local template, values = coerce((...)), pack(...)
  if type(template) ~= "string" then refuse(1, "format", "string", template, 3, values.n == 0) end
  local text, size = template, plain_size(template, values)
  if not size then text, size = prepare(template, values) end
  if size > lib.MAX_STRING then error("resulting string too large", 2) end
  charge_bytes(size)
  return settle("format", pcall(native.format, text, unpack(values, 2, values.n)))
end

-- Patterns ------------------------------------------------------------------------------------

-- Native matching may take this many character steps (some hundred microseconds) in one call, or this many
-- bytes when its work is linear.
local MAX_STEPS, MAX_LINEAR = 250000, 1 << 20

-- The search to use for a pattern on a subject from `start` on: the native one when its worst case is small.
local function searcher(text, p, start)
  local pattern = k.pattern
  local cost = pattern.cost(p)
  local degree, size = cost[2], #text - start + 2
  local steps = degree == 1 and cost[1] * size or cost[1] * (size + 0.0) ^ degree
  if steps > (pattern.max_steps or MAX_STEPS) and (degree > 1 or size > MAX_LINEAR or pattern.max_steps) then
    return pattern.search
  end
  if steps > 512 then charge(floor(steps / 8)) end
  return find
end

-- What a native search found, once it is paid: by what it looked at.
local function paid(cost, start, size, first, last, ...)
  local seen = size
  if cost.near then seen = first and last - start + 2 or cost.brief and 1 or size end
  if cost[1] * seen > 512 then charge(floor(cost[1] * seen / 4)) end
  if first then return first, last, ... end
  return nil
end

-- One search from `start` on.
local function search_from(text, p, start)
  local cost, size = k.pattern.cost(p), #text - start + 2
  if cost[2] > 1 or size > MAX_LINEAR or k.pattern.max_steps then return searcher(text, p, start)(text, p, start) end
  return paid(cost, start, size, find(text, p, start))
end

-- 1 <= init, counted from the end when it is negative; nil when it is no integer.
local function starting_at(init, size)
  if math_type(init) == "integer" and init > 0 then return init end
  init = tointeger(raw.tonumber(init))
  if not init or init > 0 then return init end
  if init == 0 or init < -size then return 1 end
  return size + init + 1
end

local function has_specials(p)
  return find(p, "[%^%$%*%+%?%.%(%[%%%-]") ~= nil
end

-- Plain search: the head of a long needle natively, then one comparison for each place where it stands.
local function find_plain(text, needle, init)
  if (#text - init) * #needle < 1 << 16 then return find(text, needle, init, true) end
  if #needle == 1 then
    charge((#text - init) // 512) -- memchr
    return find(text, needle, init, true)
  end
  local head, at = sub(needle, 1, 16), init
  while true do
    local from = at
    at = find(text, head, at, true)
    charge(((at or #text) - from) // 8 + 1)
    if not at then return nil end
    if #needle > 16 then charge(#needle // 16) end
    if sub(text, at, at + #needle - 1) == needle then return at, at + #needle - 1 end
    at = at + 1
  end
end

-- Where the search starts; nil when the arguments are wrong and the native function is to say so.
local function start_of(text, p, init)
  if type(text) ~= "string" or type(p) ~= "string" then return nil end
  if init == nil then return 1 end
  return starting_at(init, #text)
end

local function find_at(text, p, start, plain)
  if start > #text + 1 then return nil end
  if plain or not has_specials(p) then return find_plain(text, p, start) end
  return search_from(text, p, start)
end

function strings.find(...)
  local text, p, init, plain = ...
  if init == nil and type(text) == "string" and #text < 3 and type(p) == "string" and #p < 16 then
    return settle("find", pcall(find, text, p, init, plain))
  end
  if type(text) ~= "string" then text = coerce(text) end
  if type(p) ~= "string" then p = coerce(p) end
  local start = start_of(text, p, init)
  if start then return settle("find", pcall(find_at, text, p, start, plain)) end
  return settle("find", pcall(find, with(text, p, ...)))
end

local function matched(text, first, last, ...)
  if not first then return nil end
  if select("#", ...) > 0 then return ... end
  return sub(text, first, last)
end

local function match_at(text, p, start)
  if start > #text + 1 then return nil end
  return matched(text, search_from(text, p, start))
end

function strings.match(...)
  local text, p, init = ...
  if init == nil and type(text) == "string" and #text < 3 and type(p) == "string" and #p < 16 then
    return settle("match", pcall(native.match, text, p)) -- of a character
  end
  if type(text) ~= "string" then text = coerce(text) end
  if type(p) ~= "string" then p = coerce(p) end
  local start = start_of(text, p, init)
  if start then return settle("match", pcall(match_at, text, p, start)) end
  return settle("match", pcall(native.match, with(text, p, ...)))
end

-- An empty match just where the one before ended (`last`) does not count.
local function accept(search, text, p, last, first, stop, ...)
  if first and stop + 1 == last then return search(text, p, last + 1) end
  return first, stop, ...
end

-- The first match at or after `at`.
local function next_match(search, text, p, at, last)
  return accept(search, text, p, last, search(text, p, at))
end

function strings.gmatch(...)
  local text, p, init = ...
  text, p = coerce(text), coerce(p)
  local at = start_of(text, p, init)
  if not at then return settle("gmatch", pcall(native.gmatch, with(text, p, ...))) end
  if byte(p) == 94 then p = "%" .. p end
  local search, last = searcher(text, p, at > #text + 1 and #text + 1 or at), nil
  local function take(first, stop, ...)
    if not first then
      at = #text + 2
      return nil
    end
    at, last = stop + 1, stop + 1
    return matched(text, first, stop, ...)
  end
  local function step()
    if at > #text + 1 then return nil end
    return take(next_match(search, text, p, at, last))
  end
  return function() return settle("gmatch", pcall(step)) end
end

lib.searcher, lib.next_match, lib.start_of = searcher, next_match, start_of
k.need("std_gsub")

-- `string(x)` is what is left of a validating cast: a string as it is, an error otherwise.
local function cast(_, value)
  if type(value) ~= "string" then error("string expected, got " .. lib.typeof(value), 2) end
  return value
end

lib.expose("string", strings, { __call = cast })
local meta = raw.debug.getmetatable("")
meta.__index = k.std.string
meta.__metatable = k.std.string
