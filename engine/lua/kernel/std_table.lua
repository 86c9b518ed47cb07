-- The table library: a stable sort whose comparator may yield, size limits, and the names that 5.4 lacks.
local k = ...
local raw, lib = k.raw, k.lib
local type, error, pcall, select, rawget = raw.type, raw.error, raw.pcall, raw.select, raw.rawget
local tointeger, ult, metatable, format = raw.math.tointeger, raw.math.ult, raw.debug.getmetatable, raw.string.format
local native, settle, refuse, typeof, charge = raw.table, lib.settle, lib.refuse, lib.typeof, k.charge

local MAX_MOVE = 1 << 26

local tables = {}
lib.table = tables

-- `count` is how many arguments there are.
local function check(name, value, count, index)
  if type(value) ~= "table" or k.is_object(value) then refuse(index or 1, name, "table", value, 4, count == 0) end
end

-- Whether metamethods have a say in it: a native loop over such a list may be of any length, and none of its work is
-- counted when tables stand behind tables. It is then done here, by a length that is read once.
local function is_odd(list)
  return metatable(list) ~= nil
end

-- The length, which `__len` may say; read once.
local function length_of(list)
  if not metatable(list) then return #list end
  local count = tointeger(raw.tonumber(#list))
  if not count then error("object length is not an integer", 3) end
  return count
end

-- An integer argument.
local function integer(index, name, value)
  local number = raw.tonumber(value)
  local whole = tointeger(number)
  if whole then return whole end
  if not number then refuse(index, name, "number", value, 4) end
  error(format("bad argument #%d to '%s' (number has no integer representation)", index, name), 3)
end

-- Sorting -------------------------------------------------------------------------------------

-- Sorts list[from..to] by insertion; `before` is nil for `<`.
local function insertion_sort(list, from, to, before)
  for i = from + 1, to do
    local value, j = list[i], i - 1
    if before then
      while j >= from and before(value, list[j]) do
        list[j + 1] = list[j]
        j = j - 1
      end
    else
      while j >= from and value < list[j] do
        list[j + 1] = list[j]
        j = j - 1
      end
    end
    list[j + 1] = value
  end
end

-- Merges source[from..middle-1] and source[middle..to] into target. Takes the left one of equals.
local function merge(source, target, from, middle, to, before)
  local left, right = from, middle
  for i = from, to do
    local take_right = left >= middle
    if not take_right and right <= to then
      if before then
        take_right = before(source[right], source[left])
      else
        take_right = source[right] < source[left]
      end
    end
    if take_right then
      target[i], right = source[right], right + 1
    else
      target[i], left = source[left], left + 1
    end
  end
end

-- Sorts list[1..count] stably in place.
local function merge_sort(list, count, before)
  local width = 8
  for from = 1, count, width do
    local to = from + width - 1
    insertion_sort(list, from, to < count and to or count, before)
  end
  local source, target = list, {}
  while width < count do
    for from = 1, count, 2 * width do
      local middle, to = from + width, from + 2 * width - 1
      merge(source, target, from, middle <= count and middle or count + 1, to < count and to or count, before)
    end
    source, target, width = target, source, 2 * width
  end
  if source ~= list then native.move(source, 1, count, 1, list) end
end
lib.merge_sort = merge_sort

local function name_of(value)
  local meta = metatable(value)
  local name = meta and rawget(meta, "__name")
  return type(name) == "string" and name or typeof(value)
end

local function ordered(a, b)
  local kind = type(a)
  if kind == type(b) and (kind == "number" or kind == "string") then return true end
  local of_a, of_b = metatable(a), metatable(b)
  return of_a and rawget(of_a, "__lt") ~= nil or of_b and rawget(of_b, "__lt") ~= nil
end

-- Raises what comparing neighbours would raise, with the position of the call of sort.
local function check_comparable(list, count)
  for i = 2, count do
    local a, b = list[i], list[i - 1]
    if not ordered(a, b) then
      a, b = name_of(a), name_of(b)
      error(a == b and format("attempt to compare two %s values", a) or format("attempt to compare %s with %s", a, b), 3)
    end
  end
end

function tables.sort(...)
  local list, before = ...
  local count
  if type(list) == "table" and not metatable(list) then
    count = #list
  else
    check("sort", list, select("#", ...))
    count = length_of(list)
  end
  if count < 2 then return end
  if before ~= nil and type(before) ~= "function" then refuse(2, "sort", "function", before) end
  local copy = {}
  for i = 1, count do copy[i] = list[i] end
  if not before then check_comparable(copy, count) end
  merge_sort(copy, count, before)
  for i = 1, count do list[i] = copy[i] end
end

-- Strings -------------------------------------------------------------------------------------

local function concat_error(value, index)
  error(format("invalid value (%s) at index %d in table for 'concat'", typeof(value), index), 3)
end

-- Kernel objects and whole floats are written as tostring writes them.
function tables.concat(...)
  local list, separator, from, to = ...
  check("concat", list, select("#", ...))
  local last = length_of(list)
  separator = lib.coerce(separator == nil and "" or separator)
  if type(separator) ~= "string" then refuse(2, "concat", "string", separator) end
  from = from == nil and 1 or integer(3, "concat", from)
  to = to == nil and last or integer(4, "concat", to)
  local texts, size = is_odd(list) and {} or nil, 0
  for i = from, to do
    local value = list[i]
    if type(value) ~= "string" then
      local text = lib.coerce(value)
      if type(text) ~= "string" then concat_error(value, i) end
      texts = texts or native.move(list, from, i - 1, from, {})
      value = text
    end
    if texts then texts[i] = value end
    size = size + #value + #separator
    if size > lib.MAX_STRING then error("resulting string too large", 2) end
  end
  lib.charge_bytes(size)
  return settle("concat", pcall(native.concat, texts or list, separator, from, to))
end

-- Elements ------------------------------------------------------------------------------------

-- Charges the native loop that shifts the elements after `position`.
local function charge_shift(list, position)
  local at = tointeger(raw.tonumber(position))
  if at and at > 0 and #list - at > 64 then charge(#list - at) end
end

local function out_of_bounds(name)
  error(format("bad argument #2 to '%s' (position out of bounds)", name), 3)
end

function tables.insert(...)
  local list, position, value = ...
  local count, meta = select("#", ...), type(list) ~= "table" or metatable(list)
  if meta then
    check("insert", list, count)
  elseif count == 2 then
    list[#list + 1] = position
    return
  end
  if count == 2 then
    list[length_of(list) + 1] = position
    return
  end
  if count ~= 3 or not meta then
    if not meta then charge_shift(list, position) end
    return settle("insert", pcall(native.insert, ...))
  end
  local last = length_of(list) + 1
  position = integer(2, "insert", position)
  if not ult(position - 1, last) then out_of_bounds("insert") end
  for i = last, position + 1, -1 do list[i] = list[i - 1] end
  list[position] = value
end

function tables.remove(...)
  local list, position = ...
  if type(list) ~= "table" then check("remove", list, select("#", ...)) end
  if not is_odd(list) then
    charge_shift(list, position)
    return settle("remove", pcall(native.remove, ...))
  end
  check("remove", list)
  local last = length_of(list)
  position = position == nil and last or integer(2, "remove", position)
  if position ~= last and ult(last, position - 1) then out_of_bounds("remove") end
  local value = list[position]
  for i = position, last - 1 do list[i] = list[i + 1] end
  list[position >= last and position or last] = nil
  return value
end

-- As the native loop does it: from the end when the places overlap.
local function move_each(source, first, last, at, target)
  if at > last or at <= first or target ~= source then
    for i = 0, last - first do target[at + i] = source[first + i] end
  else
    for i = last - first, 0, -1 do target[at + i] = source[first + i] end
  end
  return target
end

local function whole(value)
  return value ~= nil and tointeger(raw.tonumber(value))
end

function tables.move(...)
  local source, from, to, at, target = ...
  local first, last, place = whole(from), whole(to), whole(at)
  if not (first and last and place) then return settle("move", pcall(native.move, ...)) end -- it tells of them first
  check("move", source)
  if target ~= nil then check("move", target, nil, 5) end
  local onto = target == nil and source or target
  if last > first then
    local count = last - first
    if count < 0 or count > MAX_MOVE then error("too many elements to move", 2) end
    if place < 1 << 62 and (is_odd(source) or is_odd(onto)) then
      return move_each(source, first, last, place, onto)
    end
    charge(count * 3)
  end
  if target ~= nil then return settle("move", pcall(native.move, source, from, to, at, target)) end
  return settle("move", pcall(native.move, source, from, to, at))
end

local MOST_UNPACKED = 1 << 20 -- more than the stack of Lua holds

function tables.unpack(...)
  local list, from, to = ...
  if type(list) ~= "table" then
    if type(list) ~= "string" then return settle("unpack", pcall(native.unpack, ...)) end
  elseif metatable(list) then
    check("unpack", list)
  end
  if to == nil then to = length_of(list) end
  local first, last = tointeger(raw.tonumber(from or 1)), tointeger(raw.tonumber(to))
  if first and last and last > first and last - first >= 0 then
    local count = last - first
    if count > 256 then charge(count < MOST_UNPACKED and count or MOST_UNPACKED) end
    if is_odd(list) and count < MOST_UNPACKED then list = move_each(list, first, last, first, {}) end
  end
  return settle("unpack", pcall(native.unpack, list, from, to))
end

tables.pack = native.pack

function tables.create(array, records)
  if not tointeger(array) then refuse(1, "create", "integer", array) end
  if records ~= nil and not tointeger(records) then refuse(2, "create", "integer", records) end
  return {}
end

function tables.getn(list)
  check("getn", list)
  return #list
end

-- The largest positive numeric key, or 0.
function tables.maxn(list)
  check("maxn", list)
  local largest = 0
  for key in raw.next, lib.reveal(list) do
    if type(key) == "number" and key > largest then largest = key end
  end
  return largest
end

-- Immutability --------------------------------------------------------------------------------

function tables.make_immutable(list)
  check("make_immutable", list)
  if lib.contents[list] then return list end
  local meta = metatable(list)
  if meta and rawget(meta, "__metatable") ~= nil then error("cannot change a protected metatable", 2) end
  return lib.seal(list)
end

function tables.is_immutable(list)
  return lib.contents[list] ~= nil
end

tables.freeze, tables.isfrozen = tables.make_immutable, tables.is_immutable

lib.expose("table", tables)
k.std.unpack = tables.unpack
