-- Values as user code sees them: type, tostring, metatables, raw access, assert.
-- Also what the std files share in `k.lib`.
--
-- The std files need k.raw, k.is_workflow, k.charge, k.now, k.is_object, k.chunk and those of marks (codec.lua) when
-- later.lua loads, k.random_seed later.
local k = ...
local raw = k.raw
local type, error, pcall, select, tostring = raw.type, raw.error, raw.pcall, raw.select, raw.tostring
local rawget, rawset, rawequal, rawsetmetatable = raw.rawget, raw.rawset, raw.rawequal, raw.setmetatable
local metatable = raw.debug.getmetatable -- the real one: `__metatable` does not hide it
local math_type, floor, tointeger = raw.math.type, raw.math.floor, raw.math.tointeger
local format, gsub = raw.string.format, raw.string.gsub
local is_object, charge = k.is_object, k.charge
local lib, std = k.lib, k.std
local modern = (k.version or 2) > 1
local typeof, contents, reveal = lib.typeof, lib.contents, lib.reveal

-- The largest string that one library call may build.
lib.MAX_STRING = 64 * 1024 * 1024

-- Through pcall a native function does not know its own name. Running out of memory is no error of the call.
local function raise(name, level, message)
  if type(message) ~= "string" or message == "not enough memory" then error(message, 0) end
  message = gsub(gsub(message, "to '%?'", "to '" .. name .. "'"), "to '%w+%.(%w+)'", "to '%1'")
  if modern then message = gsub(message, "^%?:%-1: ", "") end
  error(message, level)
end

-- Finishes a native call made through pcall, as the last act of a library function:
-- `return settle("name", pcall(native, ...))`. An error then carries the position of the user's call.
local function settle(name, ok, ...)
  if ok then return ... end
  raise(name, 3, ...)
end
lib.settle = settle

-- The same one frame further in.
function lib.settle_inner(name, ok, ...)
  if ok then return ... end
  raise(name, 4, ...)
end

-- Raises Lua's message for a wrong argument, at the caller of the library function; `level` is 4 when a helper
-- stands between, `absent` tells that there is no such argument.
local function refuse(index, name, wanted, value, level, absent)
  local meta = metatable(value)
  local given = meta and rawget(meta, "__name")
  if type(given) ~= "string" then
    given = value == nil and (absent or not modern) and "no value" or typeof(value)
  end
  error(format("bad argument #%d to '%s' (%s expected, got %s)", index, name, wanted, given), level or 3)
end
lib.refuse = refuse

-- The arguments with `first` and `second` for the first two, as far as there are any.
function lib.with(first, second, ...)
  local count = select("#", ...)
  if count > 1 then return first, second, select(3, ...) end
  if count == 1 then return first end
end

-- Charges `size` bytes of native work; small pieces are covered by the instructions around them.
function lib.charge_bytes(size)
  if size >= 4096 then charge(size // 16) end
end

-- The bytes of all strings among the values.
function lib.bytes_of(...)
  local values, size = { ... }, 0
  for i = 1, select("#", ...) do
    if type(values[i]) == "string" then size = size + #values[i] end
  end
  return size
end

-- The place that an argument means in a text so long, about.
local function place(value, size, default)
  local at = value == nil and default or tointeger(value)
  if not at then return default end
  return at < 0 and at + size + 1 or at
end

-- How many bytes of a text there are from one place to another.
function lib.length_between(text, from, to)
  local size = #text
  local first, last = place(from, size, 1), place(to, size, size)
  first, last = first < 1 and 1 or first, last > size and size or last
  return last < first and 0 or last - first + 1
end

-- Charges the host's work of so many microseconds: in functions and processes about five seconds of it fit into a step,
-- in a workflow one, since Temporal takes a run for stuck after two.
function lib.charge_time(microseconds)
  charge(floor(microseconds * (k.is_workflow and 150 or 40)))
end

-- Names of identities -------------------------------------------------------------------------

local names, named = rawsetmetatable({}, { __mode = "k" }), 0

-- "0x0000000001" and so on, in order of first use: an address would differ from run to run.
local function address(value)
  local name = names[value]
  if not name then
    named = named + 1
    name = format("0x%010x", named)
    names[value] = name
  end
  return name
end
lib.address = address

local function number_text(value)
  if math_type(value) == "integer" then return tostring(value) end
  if value ~= value then return "nan" end -- its sign would depend on the machine
  if value - value ~= 0 then return value > 0 and "inf" or "-inf" end
  if value >= -0x1p63 and value < 0x1p63 and floor(value) == value then return format("%d", value) end
  for digits = 14, 17 do
    local text = format("%." .. digits .. "g", value)
    if raw.tonumber(text) == value then return text end
  end
end

-- As Lua tells it, whose own caller is native and has no place.
local function check_callable(value)
  if type(value) == "function" then return end
  local meta = metatable(value)
  if meta == nil or rawget(meta, "__call") == nil then error("attempt to call a " .. typeof(value) .. " value", 0) end
end

local function identity_text(value, kind)
  local meta = metatable(value)
  local convert = meta and rawget(meta, "__tostring")
  if modern and convert ~= nil then check_callable(convert) end
  if convert then
    local text = convert(value)
    if type(text) == "number" then text = number_text(text) end
    if type(text) ~= "string" then error("'__tostring' must return a string", 3) end
    return text
  end
  local name = meta and rawget(meta, "__name")
  if type(name) ~= "string" then name = is_object(value) and "userdata" or kind end
  return name .. ": " .. address(value)
end

local function text_of(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return number_text(value) end
  if kind == "nil" or kind == "boolean" then return tostring(value) end
  return (identity_text(value, kind))
end
lib.tostring = text_of

-- A value where a string is wanted: numbers and kernel objects become text, the rest stays as it is.
function lib.coerce(value)
  local kind = type(value)
  if kind == "number" or kind == "table" and is_object(value) then return text_of(value) end
  return value
end

-- Globals -------------------------------------------------------------------------------------

std._VERSION = "Lua 5.4"
std.package = { loaded = {}, path = "", cpath = "" }
std.error, std.select, std.rawequal = error, select, rawequal

function std.tonumber(value, ...)
  if type(value) == "string" then lib.charge_bytes(#value * ((k.version or 2) > 1 and 1 or 4)) end
  return settle("tonumber", pcall(raw.tonumber, value, ...))
end

std.type, std.tostring = typeof, text_of

if modern then
  for name, whole in raw.next, { type = typeof, tostring = text_of, tonumber = std.tonumber } do
    std[name] = function(...)
      if ... == nil and select("#", ...) == 0 then error("bad argument #1 to '" .. name .. "' (value expected)", 2) end
      return whole(...)
    end
  end

  -- The native one copies all that follow.
  std.select = function(...)
    local count, n = select("#", ...), ...
    if count > 64 then charge(count // 2) end
    if n == "#" then return count - 1 end
    if count > 0 and math_type(n) == "integer" and n > 0 then return select(...) end
    return settle("select", pcall(select, ...))
  end
end

local function value_expected(index, name)
  error(format("bad argument #%d to '%s' (value expected)", index, name), 3)
end

function std.assert(...)
  if ... then return ... end
  local count = select("#", ...)
  if count == 0 and modern then value_expected(1, "assert") end
  if count < 2 then error("assertion failed!", 0) end
  error((select(2, ...)), 0)
end

function std.getmetatable(...)
  local value = ...
  if type(value) == "string" then return std.string end
  if value == nil and modern and select("#", ...) == 0 then value_expected(1, "getmetatable") end
  local meta = k.metatable(value)
  if not meta or meta == k.global_meta then return nil end
  local guard = rawget(meta, "__metatable")
  if guard ~= nil then return guard end
  if type(value) == "table" and not is_object(value) then return meta end
  return nil
end

local function check_metatable(value, meta, count)
  if typeof(value) ~= "table" then refuse(1, "setmetatable", "table", value, 4, count == 0) end
  if meta == nil then
    if count < 2 and modern then refuse(2, "setmetatable", "nil or table", meta, 4, true) end
    return
  end
  if typeof(meta) ~= "table" then refuse(2, "setmetatable", "nil or table", meta, 4) end
  if rawget(meta, "__gc") ~= nil then
    error("'__gc' is not supported: when it would run is not deterministic", 3)
  end
  if rawget(meta, "__mode") ~= nil then
    error("'__mode' is not supported: when weak entries vanish is not deterministic", 3)
  end
end

function std.setmetatable(...)
  local value, meta = ...
  check_metatable(value, meta, meta == nil and select("#", ...))
  local old = metatable(value)
  if old and old == k.global_meta then
    reveal(value)
    old = nil
  end
  if old and rawget(old, "__metatable") ~= nil then error("cannot change a protected metatable", 2) end
  return k.set_metatable(value, meta)
end

function std.rawget(...)
  local table, key = ...
  if typeof(table) ~= "table" then refuse(1, "rawget", "table", table, 3, select("#", ...) == 0) end
  if key == nil and modern and select("#", ...) < 2 then value_expected(2, "rawget") end
  return rawget(reveal(table), key)
end

function std.rawset(...)
  local table, key, value = ...
  if typeof(table) ~= "table" then refuse(1, "rawset", "table", table, 3, select("#", ...) == 0) end
  if contents[table] then error("attempt to modify a read-only table", 2) end
  if modern then return settle("rawset", pcall(rawset, ...)) end
  return settle("rawset", pcall(rawset, table, key, value))
end

-- Libraries -----------------------------------------------------------------------------------

-- Makes a global of user code of the functions; the kernel keeps its own table of them.
function lib.expose(name, functions, extra)
  local copy = {}
  for key, value in raw.next, functions do copy[key] = value end
  std[name] = lib.seal(copy, extra)
end
