-- What loads when it is first asked for: a unit pays for the parts of the kernel that it uses. And read-only tables.
local k = ...
local raw, std = k.raw, k.std
local type, error, pcall, rawget, rawset = raw.type, raw.error, raw.pcall, raw.rawget, raw.rawset
local setmetatable = raw.setmetatable
local metatable = raw.debug.getmetatable -- the real one: `__metatable` does not hide it

-- Made of `engine/modules.py`: `names` of `k` and `globals` of user code, each with the file that defines it.
local index = k.index
local loaded = {}

--- Run a file of the kernel unless it was. Outside of a state's making the host is asked for its code.
function k.need(file)
  if loaded[file] then return end
  local chunk = k.chunk(file)
  loaded[file] = true
  chunk(k)
end

local function loading_from(files)
  return function(t, name)
    local file = files[name]
    if not file or loaded[file] then return nil end
    k.need(file)
    return rawget(t, name)
  end
end

setmetatable(k, { __index = loading_from(index.names) })
setmetatable(std, { __index = loading_from(index.globals) })

--- Let `file` add its fields to `t` when one is asked for that is not there.
function k.fill_later(t, file)
  return setmetatable(t, { __index = function(_, name)
    k.need(file)
    setmetatable(t, nil)
    return t[name]
  end })
end

-- Helpers of the std files; `started` is when the unit began.
local lib = k.fill_later({ started = k.now() }, "std_values")
k.lib = lib

local strings = metatable("")
strings.__index = function(_, name) return std.string[name] end

-- The arithmetic of numeric strings reads all their digits, in one instruction: it is paid by their length.
local function calculated(ok, value)
  if ok then return value end
  local by_zero = raw.string.find(value, "^attempt to perform") or raw.string.find(value, "^attempt to divide")
  error(value, (by_zero or value == k.MEMORY_ERROR) and 0 or 2) -- of division by zero Lua names no place
end

local function pay_digits(text)
  local size = #text
  if size > 32 then k.charge((size < 1024 and size or 1024) // 4 + size // 16) end
end

local function paid_arithmetic(event, native)
  return function(a, b)
    local kind = type(b)
    if kind == "string" then
      pay_digits(b)
    elseif kind ~= "number" then
      local meta = metatable(b)
      local other = meta and rawget(meta, event)
      if other then return other(a, b) end
    end
    if type(a) == "string" then pay_digits(a) end
    return calculated(pcall(native, a, b))
  end
end

if (k.version or 2) > 1 then
  for _, name in raw.ipairs { "add", "sub", "mul", "div", "mod", "pow", "idiv", "unm" } do
    local event = "__" .. name
    strings[event] = paid_arithmetic(event, strings[event])
  end
end

local function typeof(value)
  local name = type(value)
  if name == "table" and k.is_object(value) then return "userdata" end
  return name
end
lib.typeof = typeof

-- Read-only tables ----------------------------------------------------------------------------

-- A sealed table stays empty itself; its content lives in a hidden table.
local contents = setmetatable({}, { __mode = "k" })
lib.contents = contents

local function read_only()
  error("attempt to modify a read-only table", 2)
end

local pending = {} -- table -> the file with the rest of its fields, or what adds them

local function reveal(table)
  local file = pending[table]
  if file then
    pending[table] = nil
    if type(file) == "function" then file(table) else k.need(file) end
  end
  return contents[table] or table
end
lib.reveal = reveal

--- Let `fill` add the fields of `t` before something looks at all of them.
function k.reveal_by(t, fill)
  pending[t] = fill
  return t
end

-- The table that really holds the fields of `t`: the hidden one of a sealed table, otherwise `t` itself.
k.reveal = reveal

-- Moves the fields of `table` to a hidden one, so that nothing can be written; `extra` holds more metamethods.
function lib.seal(table, extra)
  local hidden, old = k.alike(table), k.metatable(table)
  for key, value in raw.next, table do hidden[key] = value end
  for key in raw.next, hidden do table[key] = nil end
  local meta = {}
  for event, handler in raw.next, old or {} do meta[event] = handler end
  for event, handler in raw.next, extra or {} do meta[event] = handler end
  meta.__metatable = old and (rawget(old, "__metatable") or old) or false
  meta.__index, meta.__newindex = hidden, read_only
  meta.__len = meta.__len or function() return #hidden end
  if old and rawget(old, "__index") ~= nil then setmetatable(hidden, { __index = old.__index }) end
  contents[table] = hidden
  return setmetatable(table, meta)
end

k.library = lib.seal

--- A library whose other fields are in `file`, which adds them to `k.reveal(library)`.
function k.library_later(fields, file)
  local library = lib.seal(fields)
  k.fill_later(contents[library], file)
  pending[library] = file
  return library
end
