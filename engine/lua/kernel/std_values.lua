-- Values as user code sees them: type, tostring, metatables, raw access, assert.
-- Also `k.lib`, the helpers that the other std files share.
local k = ...
local raw = k.raw
local type, error, pcall, select, tostring = raw.type, raw.error, raw.pcall, raw.select, raw.tostring
local rawget, rawset, rawequal, rawsetmetatable = raw.rawget, raw.rawset, raw.rawequal, raw.setmetatable
local metatable = raw.debug.getmetatable -- the real one: `__metatable` does not hide it
local math_type, floor = raw.math.type, raw.math.floor
local format, gsub = raw.string.format, raw.string.gsub
local is_object, charge = k.is_object, k.charge

local lib = {}
k.lib = lib

-- The largest string that one library call may build.
lib.MAX_STRING = 64 * 1024 * 1024
lib.started = k.now()

-- Through pcall a native function does not know its own name. Running out of memory is no error of the call.
local function raise(name, level, message)
  if type(message) ~= "string" or message == "not enough memory" then error(message, 0) end
  message = gsub(gsub(message, "to '%?'", "to '" .. name .. "'"), "to '%w+%.(%w+)'", "to '%1'")
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

local function typeof(value)
  local name = type(value)
  if name == "table" and is_object(value) then return "userdata" end
  return name
end
lib.typeof = typeof

-- Raises Lua's message for a wrong argument, at the caller of the library function; `level` is 4 when a helper
-- stands between.
local function refuse(index, name, wanted, value, level)
  local meta = metatable(value)
  local given = meta and rawget(meta, "__name")
  if type(given) ~= "string" then given = value == nil and "no value" or typeof(value) end
  error(format("bad argument #%d to '%s' (%s expected, got %s)", index, name, wanted, given), level or 3)
end
lib.refuse = refuse

-- Charges `size` bytes of native work; small pieces are covered by the instructions around them.
function lib.charge_bytes(size)
  if size >= 4096 then charge(size // 16) end
end

-- Charges the host's work of so many microseconds: in functions and processes about five seconds of it fit into a step,
-- in a workflow one, since Temporal takes a run for stuck after two.
function lib.charge_time(microseconds)
  charge(floor(microseconds * (k.is_workflow and 150 or 40)))
end

-- Read-only tables ----------------------------------------------------------------------------

-- A sealed table stays empty itself; its content lives in a hidden table.
local contents = rawsetmetatable({}, { __mode = "k" })
lib.contents = contents

local function read_only()
  error("attempt to modify a read-only table", 2)
end

-- Fills the hidden table of a library at its first use.
local pending = {}

local function reveal(table)
  local fill = pending[table]
  if fill then
    fill()
    pending[table] = nil
  end
  return contents[table] or table
end
lib.reveal = reveal

-- The table that really holds the fields of `t`: the hidden one of a sealed table, otherwise `t` itself.
k.reveal = reveal

-- Moves the fields of `table` to a hidden one, so that nothing can be written; `extra` holds more metamethods.
function lib.seal(table, extra)
  local hidden, old = {}, metatable(table)
  for key, value in raw.next, table do hidden[key] = value end
  for key in raw.next, hidden do table[key] = nil end
  local meta = {}
  for _, source in raw.ipairs({ old or {}, extra or {} }) do
    for event, handler in raw.next, source do meta[event] = handler end
  end
  meta.__metatable = old and (rawget(old, "__metatable") or old) or false
  meta.__index, meta.__newindex = hidden, read_only
  meta.__len = meta.__len or function() return #hidden end
  if old and rawget(old, "__index") ~= nil then rawsetmetatable(hidden, { __index = old.__index }) end
  contents[table] = hidden
  return rawsetmetatable(table, meta)
end

-- A sealed library whose functions are made by `fill(hidden)` when the first of them is asked for.
function lib.seal_later(fill, extra)
  local library = lib.seal({}, extra)
  local hidden = contents[library]
  pending[library] = function()
    fill(hidden)
    rawsetmetatable(hidden, nil)
  end
  rawsetmetatable(hidden, { __index = function(_, key) return reveal(library)[key] end })
  return library
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

local function identity_text(value, kind)
  local meta = metatable(value)
  local convert = meta and rawget(meta, "__tostring")
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

local std = k.std or {}
k.std = std

std._VERSION = "Lua 5.4"
std.error, std.select, std.rawequal = error, select, rawequal

function std.tonumber(value, ...)
  if type(value) == "string" then lib.charge_bytes(#value * 4) end
  return settle("tonumber", pcall(raw.tonumber, value, ...))
end

std.type, std.tostring = typeof, text_of

function std.assert(condition, ...)
  if condition then return condition, ... end
  if select("#", ...) == 0 then error("assertion failed!", 2) end
  error((...), 2)
end

function std.getmetatable(value)
  local meta = metatable(value)
  if not meta then return nil end
  local guard = rawget(meta, "__metatable")
  if guard ~= nil then return guard end
  if type(value) == "table" and not is_object(value) then return meta end
  return nil
end

local function check_metatable(value, meta)
  if typeof(value) ~= "table" then refuse(1, "setmetatable", "table", value, 4) end
  if meta == nil then return end
  if typeof(meta) ~= "table" then refuse(2, "setmetatable", "nil or table", meta, 4) end
  if rawget(meta, "__gc") ~= nil then
    error("'__gc' is not supported: when it would run is not deterministic", 3)
  end
  if rawget(meta, "__mode") ~= nil then
    error("'__mode' is not supported: when weak entries vanish is not deterministic", 3)
  end
end

function std.setmetatable(value, meta)
  check_metatable(value, meta)
  local old = metatable(value)
  if old and rawget(old, "__metatable") ~= nil then error("cannot change a protected metatable", 2) end
  return rawsetmetatable(value, meta)
end

function std.rawget(table, key)
  if typeof(table) ~= "table" then refuse(1, "rawget", "table", table) end
  return rawget(reveal(table), key)
end

function std.rawset(table, key, value)
  if typeof(table) ~= "table" then refuse(1, "rawset", "table", table) end
  if contents[table] then error("attempt to modify a read-only table", 2) end
  return settle("rawset", pcall(rawset, table, key, value))
end
