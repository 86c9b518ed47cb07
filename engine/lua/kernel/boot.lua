-- The root of the kernel: natives, objects, limits, the codec of the seam.
-- Every kernel file is a chunk called with the kernel's private table `k`; user code never sees it.
local k = ...

local raw = {
  string = string, table = table, math = math, os = os, coroutine = coroutine, debug = debug,
  pairs = pairs, next = next, ipairs = ipairs, type = type, tostring = tostring, tonumber = tonumber,
  select = select, error = error, pcall = pcall, setmetatable = setmetatable,
  getmetatable = debug.getmetatable, rawget = rawget, rawset = rawset, rawequal = rawequal,
  rawlen = rawlen, utf8_len = utf8.len, unpack = table.unpack, load = load,
}
k.raw = raw
k.std = {} -- the globals of user code
k.modules = {} -- what `modules:` may name
k.exceeded, k.main, k.outcome, k.issued, k.sends = false, false, false, false, 0 -- set, since a name that is not there is looked for in files

local type, next, error, pcall, setmetatable, select = raw.type, raw.next, raw.error, raw.pcall, raw.setmetatable, raw.select
local getmetatable, math_type = raw.getmetatable, math.type
local sethook = debug.sethook

--- Nanoseconds since the epoch. In a workflow, and outside tasks, the moment at which the step began.
function k.now()
  if k.is_workflow or not k.current or not k.current() then return k.io.now end
  return (k.service("now"))
end

-- --- objects: Lua tables that user code sees as userdata -------------------------------------
-- The private state of an object stands under the key S, which no user code can name.

local S = {}
k.S = S
local classes = {} -- metatable -> class name

--- A class of kernel objects; `meta` may add metamethods.
function k.class(name, methods, meta)
  meta = meta or {}
  meta.__index = meta.__index or methods
  meta.__newindex = function() error("attempt to modify a " .. name, 2) end
  meta.__metatable = name
  meta.__name = name
  classes[meta] = name
  return meta
end

function k.new(class, state)
  return setmetatable({ [S] = state }, class)
end

function k.class_of(v)
  return type(v) == "table" and classes[getmetatable(v)] or nil
end

function k.is_object(v)
  if type(v) ~= "table" then return false end
  local mt = getmetatable(v)
  return mt ~= nil and classes[mt] ~= nil
end

function k.is_error(v) return k.class_of(v) == "error" end

--- The state of an object of one class, or an argument error.
function k.self(v, class, name)
  if type(v) == "table" and getmetatable(v) == class then return v[S] end
  error(name .. " expected (call the method with ':')", 3)
end

-- --- limits: uncatchable and final ------------------------------------------------------------

local LIMIT = setmetatable({}, { __tostring = function() return "limit exceeded" end })
local QUANTUM = 10000 -- instructions between two looks of the hook
local MEMORY_ERROR = "not enough memory"
local budget, per_step = 0, 0
k.MEMORY_ERROR = MEMORY_ERROR

local function exceed(what)
  k.exceeded = k.exceeded or what
  error(LIMIT, 0)
end


-- The hook at each of these counts of a coroutine's own instructions. A stretch is charged when it begins, and the
-- first ones are short: short coroutines would otherwise run for nothing, since each has a count of its own.
local hooks, FIRST = {}, 512

local function spend(n)
  budget = budget - n
  if budget <= 0 then
    sethook(hooks[1], "", 1) -- code that catches the error gets it again at its next instruction
    exceed("instructions")
  end
end

local function hook_of(length)
  local following = length * 2 < QUANTUM and length * 2 or QUANTUM
  hooks[length] = length == QUANTUM and function() spend(QUANTUM) end or function()
    spend(following)
    sethook(hooks[following], "", following)
  end
  if length < QUANTUM then hook_of(following) end
end

hook_of(FIRST)
hooks[1] = function() spend(1) end

--- Bring a coroutine under the instruction limit.
function k.guard(co)
  budget = budget - FIRST -- the hook looks at it
  sethook(co, hooks[FIRST], "", FIRST)
  return co
end

function k.set_budget(n) per_step = n end
function k.refill() budget = per_step end

--- Charge `n` instructions for work that the hook can't see.
function k.charge(n)
  budget = budget - n
  if budget <= 0 then
    if k.current and k.current() then sethook(hooks[1], "", 1) end -- never on the kernel's own thread
    exceed("instructions")
  end
end

--- Pass the results of a protected call on, unless a limit was exceeded meanwhile.
local function checked(ok, ...)
  if not ok and (k.exceeded or (...) == MEMORY_ERROR) then exceed("memory") end
  return ok, ...
end
k.checked = checked

function k.pcall(f, ...)
  return checked(pcall(f, ...))
end

-- --- the codec: values cross the seam as two flat lists ---------------------------------------
-- shape: 0 nil, 1 scalar (the next of values), 2 array (then its length), 3 map (then its pairs),
-- 4 error (then kind, message, retryable, details, stack).

local out_shape, out_values, shape_n, values_n = {}, {}, 0, 0
local MAX_DEPTH = 200
local AMBIGUOUS = "table with both 1 and true (or 0 and false) as keys cannot cross a unit boundary" -- the host takes them for one

local encode

local function encode_error(state, seen, depth)
  out_shape[shape_n + 1] = 4
  shape_n = shape_n + 1
  encode(state.kind, seen, depth)
  encode(k.error_boundary_message(state), seen, depth)
  encode(state.retryable, seen, depth)
  encode(state.details, seen, depth)
  encode(state.stack, seen, depth)
end

local function encode_object(v, class, seen, depth)
  if class == "error" then return encode_error(v[S], seen, depth) end
  if class == "payload" then return encode(v[S].plain, seen, depth) end
  shape_n = shape_n + 1
  out_shape[shape_n] = 0
end

local function encode_table(v, seen, depth)
  if seen[v] then error("cyclic table cannot cross a unit boundary", 0) end
  if depth >= MAX_DEPTH then error("table nested deeper than " .. MAX_DEPTH .. " cannot cross a unit boundary", 0) end
  seen[v] = true
  depth = depth + 1
  local count = 0
  for _ in next, v do count = count + 1 end
  local n = 0
  while v[n + 1] ~= nil do n = n + 1 end
  if n == count then
    out_shape[shape_n + 1], out_shape[shape_n + 2] = 2, n
    shape_n = shape_n + 2
    for i = 1, n do encode(v[i], seen, depth) end
  else
    local at = shape_n + 2
    out_shape[shape_n + 1], out_shape[at] = 3, 0
    shape_n = at
    local pairs_n = 0
    for key, value in next, v do
      local t = type(key)
      if t == "boolean" and v[key and 1 or 0] ~= nil then error(AMBIGUOUS, 0) end
      if t == "string" or t == "number" or t == "boolean" then
        pairs_n = pairs_n + 1
        encode(key, seen, depth)
        encode(value, seen, depth)
      end
    end
    out_shape[at] = pairs_n
  end
  seen[v] = nil
end

-- Tables are read raw: a user's metamethods have no say in what crosses.
local function raw_view(v)
  local copy = {}
  for key, value in next, k.reveal(v) do copy[key] = value end
  return copy
end

function encode(v, seen, depth)
  local t = type(v)
  if t == "string" or t == "number" or t == "boolean" then
    shape_n, values_n = shape_n + 1, values_n + 1
    out_shape[shape_n], out_values[values_n] = 1, v
  elseif t == "table" then
    local class = classes[getmetatable(v)]
    seen = seen or {}
    if class then return encode_object(v, class, seen, depth) end
    if getmetatable(v) then
      if seen[v] then error("cyclic table cannot cross a unit boundary", 0) end
      seen[v] = true
      encode_table(raw_view(v), seen, depth)
      seen[v] = nil
    else
      encode_table(v, seen, depth)
    end
  else
    shape_n = shape_n + 1
    out_shape[shape_n] = 0
  end
end

local PACKED = {}

local function encode_packed(record)
  out_shape[shape_n + 1], out_shape[shape_n + 2] = 2, record.n
  shape_n = shape_n + 2
  for i = 1, record.n do
    local field = record[i]
    if type(field) == "table" and raw.rawget(field, PACKED) then
      encode_packed(field)
    else
      encode(field, nil, 0)
    end
  end
end

--- Values that may hold nil, as one array field of a record.
function k.packed(...)
  return { [PACKED] = true, n = select("#", ...), ... }
end

-- How much of both lists is whole records, as one number: it can't be half written when the hook strikes.
local whole = 0
local SHIFT = 32

-- Take back what a put left that did not come to its end. The hook strikes anywhere, so also a little beyond the counts.
local function trim()
  local shape_whole, values_whole = whole >> SHIFT, whole & (1 << SHIFT) - 1
  for i = shape_whole + 1, shape_n + 2 do out_shape[i] = nil end
  for i = values_whole + 1, values_n + 1 do out_values[i] = nil end
  shape_n, values_n = shape_whole, values_whole
end

--- Append a record to what this step hands to the host. Returns true, or false and why not.
function k.put(...)
  if shape_n << SHIFT | values_n ~= whole then trim() end
  local ok, why = pcall(encode_packed, { n = select("#", ...), ... })
  if ok then
    k.charge((shape_n - (whole >> SHIFT)) * 4)
    whole = shape_n << SHIFT | values_n
    return true
  end
  if k.exceeded or why == MEMORY_ERROR then exceed("memory") end -- the rest is trimmed outside of the tasks
  trim()
  return false, why
end

--- Whether nothing is put.
function k.nothing_put() return shape_n == 0 and whole == 0 end

--- What was put, for the host to read: one list, the shape and then the values; and both lengths. Starts afresh.
function k.take()
  trim()
  local list, shape_length, values_length = out_shape, shape_n, values_n
  raw.table.move(out_values, 1, values_length, shape_length + 1, list)
  out_shape, out_values, shape_n, values_n, whole = {}, {}, 0, 0, 0
  return list, shape_length, values_length
end

-- --- decoding ---------------------------------------------------------------------------------

local input, shape_at, value_at -- one list: the shape, and behind it the values

local function decode()
  shape_at = shape_at + 1
  local tag = input[shape_at]
  if tag == 1 then
    value_at = value_at + 1
    return input[value_at]
  elseif tag == 0 then
    return nil
  elseif tag == 2 then
    shape_at = shape_at + 1
    local t = {}
    for i = 1, input[shape_at] do t[i] = decode() end
    return t
  elseif tag == 3 then
    shape_at = shape_at + 1
    local t = {}
    for _ = 1, input[shape_at] do
      local key = decode()
      t[key] = decode()
    end
    return t
  end
  local kind, message, retryable, details, stack = decode(), decode(), decode(), decode(), decode()
  return k.make_error { kind = kind, message = message, retryable = retryable, details = details, stack = stack }
end

--- Decode one array field by field, keeping nils: a table with n.
local function decode_packed()
  shape_at = shape_at + 2
  local t = { n = input[shape_at] }
  for i = 1, t.n do t[i] = decode() end
  return t
end

--- Read what the host placed: `split` is the length of its shape. Returns a function that reads a value, and one that
-- reads an array which may hold nil.
function k.open(list, split)
  input, shape_at, value_at = list, 0, split
  return decode, decode_packed
end
