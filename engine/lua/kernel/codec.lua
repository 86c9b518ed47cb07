-- What crosses the seam: empty tables' marks, how large it may be, and the codec.
local k = ...
local raw = k.raw
local type, next, error, pcall, select = raw.type, raw.next, raw.error, raw.pcall, raw.select
local setmetatable, getmetatable, memory = raw.setmetatable, raw.getmetatable, raw.collectgarbage
local S, classes, exceed, MEMORY_ERROR = k.S, k.classes, k.exceed, k.MEMORY_ERROR

-- --- marks: what an empty table is elsewhere ----------------------------------------------------
-- Lua has one kind of table, others have lists and objects. A mark is a metatable that does nothing and that user code
-- never sees: it costs no memory. Tables with a metatable of their own keep theirs aside.

local OBJECT, LIST = {}, {}
local aside = setmetatable({}, { __mode = "k" })
local PROBE = {}
local prober

local function marked(mt) return mt == OBJECT or mt == LIST end

--- The metatable of a value, as one may know it.
function k.metatable(v)
  local mt = getmetatable(v)
  if marked(mt) then return nil end
  return mt
end

--- Set the metatable of a table, whose mark stays.
function k.set_metatable(v, meta)
  local mt = getmetatable(v)
  if marked(mt) then
    if meta then aside[v] = mt else meta = mt end
  elseif not meta then
    meta, aside[v] = aside[v], nil
  end
  return setmetatable(v, meta)
end

local function mark(v, as)
  local mt = getmetatable(v)
  if mt == nil or marked(mt) then setmetatable(v, as) else aside[v] = as end
  return v
end

--- Have a table be an object, or else a list, wherever it leaves the unit while it is empty.
function k.mark(v, object) return mark(k.reveal(v), object and OBJECT or LIST) end

-- A table that had other keys than those of a list has room for one more, a literal `{}` has to grow. In a coroutine
-- without a hook, so that nothing else takes memory meanwhile.
local function probing(v)
  while true do
    memory("count")
    local before = memory("count")
    raw.rawset(v, PROBE, true)
    local grown = memory("count") ~= before
    raw.rawset(v, PROBE, nil)
    v = raw.coroutine.yield(not grown)
  end
end

local function probed(v)
  prober = prober or raw.coroutine.create(probing)
  local ok, had_keys = raw.coroutine.resume(prober, v)
  if not ok then exceed("memory") end
  if not had_keys then mark(v, LIST) end -- the probe left it room
  return had_keys
end

-- Whether an empty table is an object: it was decoded from one, or had keys.
local function is_map(v)
  if k.version < 2 then return false end
  local as = getmetatable(v)
  if not marked(as) then as = aside[v] end
  if as then return as == OBJECT end
  return probed(v)
end

--- A new table that is an object or a list when it is empty, as `v` is.
function k.alike(v)
  if next(v) == nil and is_map(v) then return setmetatable({}, OBJECT) end
  return {}
end

-- --- the codec: values cross the seam as two flat lists ---------------------------------------
-- shape: 0 nil, 1 scalar (the next of values), 2 array (then its length), 3 map (then its pairs),
-- 4 error (then kind, message, retryable, details, stack).

local out_shape, out_values, shape_n, values_n = {}, {}, 0, 0
local MAX_DEPTH = 200
-- How large a record is: its strings, each as often as it stands there since the host copies it, and 16 for each value.
local VALUE, BYTES = 16, 4 -- and how many bytes cost as much as an instruction
local most, bytes, first_shape = raw.math.huge, 0, 0
local AMBIGUOUS = "table with both 1 and true (or 0 and false) as keys cannot cross a unit boundary" -- the host takes them for one

local encode

-- How much it is depends on the order of a table's parts, which differs between OS processes: it is not told.
local function refuse_size()
  error(raw.string.format("so many bytes cannot cross a unit boundary at once: the limit is %d", most), 0)
end

local function check_size(more)
  local size = bytes + (shape_n - first_shape + more) * VALUE
  if size > most then refuse_size() end
end

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

local function encode_table(v, seen, depth, origin)
  if seen[v] then error("cyclic table cannot cross a unit boundary", 0) end
  if depth >= MAX_DEPTH then error("table nested deeper than " .. MAX_DEPTH .. " cannot cross a unit boundary", 0) end
  seen[v] = true
  depth = depth + 1
  local count = 0
  for _ in next, v do count = count + 1 end
  check_size(count)
  local n = 0
  while v[n + 1] ~= nil do n = n + 1 end
  if count == 0 then
    out_shape[shape_n + 1], out_shape[shape_n + 2] = is_map(origin or v) and 3 or 2, 0
    shape_n = shape_n + 2
  elseif n == count then
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
  local copy, origin = {}, k.reveal(v)
  for key, value in next, origin do copy[key] = value end
  return copy, origin
end

function encode(v, seen, depth)
  local t = type(v)
  if t == "string" or t == "number" or t == "boolean" then
    if t == "string" then
      bytes = bytes + #v
      if bytes > most then refuse_size() end
    end
    shape_n, values_n = shape_n + 1, values_n + 1
    out_shape[shape_n], out_values[values_n] = 1, v
  elseif t == "table" then
    local mt = getmetatable(v)
    local class = classes[mt]
    seen = seen or {}
    if class then return encode_object(v, class, seen, depth) end
    if mt and not marked(mt) then
      if seen[v] then error("cyclic table cannot cross a unit boundary", 0) end
      seen[v] = true
      local view, origin = raw_view(v)
      encode_table(view, seen, depth, origin)
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

local waiting = 0 -- what the commands of this step come to

--- How large one record may be; all commands of a step may have twice that.
function k.limit_records(size)
  if k.version > 1 then most = size end
end

--- Forget what the commands of the last step came to.
function k.begin_records() waiting, k.silenced = 0, false end

local function fits(size, counted)
  if size > most then refuse_size() end
  if not counted then return end
  if waiting + size > 2 * most then
    error(raw.string.format("commands of one step come to %d bytes: the limit is %d", waiting + size, 2 * most), 0)
  end
  waiting = waiting + size
end

local function encode_record(record, counted)
  encode_packed(record)
  fits(bytes + (shape_n - first_shape) * VALUE, counted)
end

local function put(counted, ...)
  if shape_n << SHIFT | values_n ~= whole then trim() end
  bytes, first_shape = 0, shape_n
  local ok, why = pcall(encode_record, { n = select("#", ...), ... }, counted)
  if ok then
    k.charge((shape_n - (whole >> SHIFT)) * 4 + (k.version > 1 and bytes // BYTES or 0))
    whole = shape_n << SHIFT | values_n
    return true
  end
  if k.exceeded or why == MEMORY_ERROR then exceed("memory") end -- the rest is trimmed outside of the tasks
  trim()
  return false, why
end

--- Append a record to what this step hands to the host. Returns true, or false and why not.
function k.put(...) return put(true, ...) end

--- The same for one that the commands of a step don't count: it does not wait for the end of the step (a service, a
-- message at once), says how that ended, or is a number that nobody looks for a refusal of (timers, what is taken back).
function k.hand(...) return put(false, ...) end

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

local objects, lists -- marks
if k.version > 1 then objects, lists = OBJECT, LIST end
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
    if input[shape_at] == 0 then return setmetatable(t, lists) end
    for i = 1, input[shape_at] do t[i] = decode() end
    return t
  elseif tag == 3 then
    shape_at = shape_at + 1
    local t = setmetatable({}, objects)
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
