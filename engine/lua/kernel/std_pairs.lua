-- pairs, next and ipairs in one fixed order: Lua's own order differs from one OS process to the next.
--
-- The order: 1..n without a hole, then the other numbers ascending, strings bytewise, false, true, then
-- keys that have no order of their own (native order; a workflow refuses them).
local k = ...
local raw, lib, std = k.raw, k.lib, k.std
local type, error, rawget, rawnext, rawipairs = raw.type, raw.error, raw.rawget, raw.next, raw.ipairs
local select, pcall = raw.select, raw.pcall
local math_type, sort, metatable = raw.math.type, raw.table.sort, raw.debug.getmetatable
local typeof, refuse, reveal = lib.typeof, lib.refuse, lib.reveal
local charge = k.charge

-- Beyond this many keys, or bytes of them, a native sort (some 20 ns for each comparison) would hold up the step for too
-- long; the Lua one is counted.
local NATIVE_KEYS, NATIVE_BYTES = 1 << 17, 1 << 22

-- `bytes` is the length of all strings together: long ones with common beginnings are slow to compare.
local function sort_keys(keys, count, bytes)
  if count < 2 then return end
  local rounds = 1
  while count >> rounds > 0 do rounds = rounds + 1 end
  if bytes > 4096 then charge(bytes * rounds // 8) end
  if count > NATIVE_KEYS or bytes > NATIVE_BYTES then
    k.need("std_table")
    return lib.merge_sort(keys, count)
  end
  charge(count * rounds * 4)
  sort(keys)
end

local function no_order(key)
  error("a table with a " .. typeof(key) .. " as key has no deterministic order: it can't be traversed in a workflow", 0)
end

local function append(keys, count, more)
  for i = 1, #more do keys[count + i] = more[i] end
  return count + #more
end

-- The keys of a table that has other keys than strings; see `sorted_keys`.
local function sorted_mixed(table, prefix)
  local numbers, strings, others, no, yes = {}, {}, {}, nil, nil
  local bytes = 0
  for key in rawnext, table do
    local kind = type(key)
    if kind == "string" then
      strings[#strings + 1] = key
      bytes = bytes + #key
    elseif kind == "number" then
      if math_type(key) == "float" or key < 1 or key > prefix then numbers[#numbers + 1] = key end
    elseif key == false then
      no = true
    elseif key == true then
      yes = true
    elseif k.is_workflow then
      no_order(key)
    else
      others[#others + 1] = key
    end
  end
  sort_keys(numbers, #numbers, 0)
  sort_keys(strings, #strings, bytes)
  local count = append(numbers, #numbers, strings)
  if no then count = append(numbers, count, { false }) end
  if yes then count = append(numbers, count, { true }) end
  append(numbers, count, others)
  return numbers
end

-- Table -> its string keys as they were last sorted, and `n`: many of them are sorted again only when others came.
local sorted, MANY = raw.setmetatable({}, { __mode = "k" }), 256

local function as_before(table, count)
  local keys = sorted[table]
  if not keys or keys.n ~= count then return nil end
  charge(count * 4) -- looking up what is far apart
  for i = 1, count do
    if rawget(table, keys[i]) == nil then return nil end
  end
  return keys
end

-- The keys of `table` in order, without the integers 1..prefix, which a walk has given already; nil when there are none.
-- Looks at each key: how many are left says nothing once a walk may clear what it has not come to.
local function sorted_keys(table, prefix)
  local keys, count, bytes = {}, 0, 0
  for key in rawnext, table do
    local kind = type(key)
    if kind == "string" then
      count = count + 1
      keys[count] = key
      bytes = bytes + #key
    elseif kind ~= "number" or math_type(key) == "float" or key < 1 or key > prefix then
      return sorted_mixed(table, prefix)
    end
  end
  if count == 0 then return nil end
  if count < MANY then
    sort_keys(keys, count, bytes)
    return keys
  end
  local before = as_before(table, count)
  if before then return before end
  sort_keys(keys, count, bytes)
  keys.n, sorted[table] = count, keys
  return keys
end

-- pairs ---------------------------------------------------------------------------------------

local function nothing() return nil end

-- Walks 1, 2, 3 ... and then the sorted rest. `get` is rawget for a table with a metatable.
local function walk(table, get)
  local i, keys = 0, nil
  return function()
    while true do
      i = i + 1
      if keys then
        local key = keys[i]
        if key == nil then return nil end
        local value
        if get then value = get(table, key) else value = table[key] end
        if value ~= nil then return key, value end
      else
        local value
        if get then value = get(table, i) else value = table[i] end
        if value ~= nil then return i, value end
        keys, i = sorted_keys(table, i - 1) or {}, 0
      end
    end
  end
end

local function missing(name)
  error("bad argument #1 to '" .. name .. "' (value expected)", 3)
end

-- As in Lua, what can't be walked is told by the first step.
local function refused(value) refuse(1, "for iterator", "table", value) end

local function not_indexed(value) error("attempt to index a " .. type(value) .. " value", 2) end

function std.pairs(...)
  local table = ...
  local meta = type(table) == "table" and metatable(table)
  if meta == nil then
    if rawnext(table) == nil then return nothing, table, nil end
    return walk(table), table, nil
  end
  if not meta or k.is_object(table) then
    if select("#", ...) == 0 then missing("pairs") end
    return refused, table, nil
  end
  local custom = rawget(meta, "__pairs")
  if custom ~= nil then
    local step, state, control = custom(table)
    return step, state, control
  end
  return walk(reveal(table), rawget), table, nil
end

function std.ipairs(...)
  local list = ...
  local kind = type(list)
  if kind == "table" then
    if metatable(list) and k.is_object(list) then refuse(1, "for iterator", "table", list) end
  elseif kind ~= "string" then
    if select("#", ...) == 0 then missing("ipairs") end
    return not_indexed, list, 0
  end
  return rawipairs(list)
end

-- next ----------------------------------------------------------------------------------------

-- table -> how far a traversal by `next` has come:
--   queue, head   keys in order, for next(t): asking whether a table is empty stays cheap
--   prefix        the traversal is in the array part, at this index
--   keys, i, last the order being walked, the position in it, the key given there
--   at            key -> position, made when two walks of one table interleave
local trips = raw.setmetatable({}, { __mode = "k" })

local function first(table)
  local value = rawget(table, 1)
  if value ~= nil then
    trips[table] = { prefix = 1 }
    return 1, value
  end
  local trip = trips[table]
  local queue, head = trip and trip.queue, trip and trip.head
  while queue and queue[head] ~= nil and rawget(table, queue[head]) == nil do head = head + 1 end
  if not queue or queue[head] == nil then
    if rawnext(table) == nil then -- not asked while the queue has keys: it looks at each slot that was drained
      trips[table] = nil
      return nil
    end
    local keys = sorted_keys(table, 0)
    -- The whole order is only kept when the table is seen to be drained from its head.
    queue, head = trip and keys or { keys[1] }, 1
  end
  trips[table] = { queue = queue, head = head }
  return queue[head], rawget(table, queue[head])
end

local RANKS = { number = 1, string = 2, boolean = 3 }

local function comes_after(candidate, key)
  local a, b = RANKS[type(candidate)] or 4, RANKS[type(key)] or 4
  if a ~= b then return a > b end
  if a == 3 then return candidate and not key end
  return a < 3 and candidate > key
end

-- True when 1..key are all there.
local function in_prefix(table, key)
  if math_type(key) ~= "integer" or key < 1 then return false end
  for i = 1, key do
    if rawget(table, i) == nil then return false end
  end
  return true
end

-- A key that was cleared is still known to the native table, until others take its place. That depends on its hashes,
-- which differ from one OS process to the next: a workflow takes any key for one that was cleared.
local function check_key(table, key)
  if k.is_workflow or rawget(table, key) ~= nil or pcall(rawnext, table, key) then return end
  error("invalid key to 'next'", 0)
end

-- Starts walking in order after `key`, which may have been cleared since it was given.
local function depart(table, key, trip)
  if trip and trip.prefix == key or in_prefix(table, key) then
    return { keys = sorted_keys(table, key) or {}, i = 0, last = key }
  end
  local given = trip and trip.queue and trip.queue[trip.head]
  if given ~= key then check_key(table, key) end
  local keys = {}
  for _, other in rawipairs(sorted_keys(table, 0) or {}) do
    if other ~= key and (given == key or comes_after(other, key)) then keys[#keys + 1] = other end
  end
  return { keys = keys, i = 0, last = key }
end

local function position(trip, key)
  if trip.last == key then return trip.i end
  if not trip.at then
    trip.at = {}
    for i, other in rawipairs(trip.keys) do trip.at[other] = i end
  end
  return trip.at[key]
end

local function following(table, key)
  local trip = trips[table]
  if trip and trip.prefix == key then
    local value = rawget(table, key + 1)
    if value ~= nil then
      trip.prefix = key + 1
      return key + 1, value
    end
  end
  local i = trip and trip.keys and position(trip, key)
  if not i then
    trip, i = depart(table, key, trip), 0
    trips[table] = trip
  end
  local keys, value = trip.keys, nil
  repeat
    i = i + 1
    if keys[i] == nil then
      trips[table] = nil
      return nil
    end
    value = rawget(table, keys[i])
  until value ~= nil
  trip.i, trip.last = i, keys[i]
  return keys[i], value
end

function std.next(...)
  local table, key = ...
  local meta = type(table) == "table" and metatable(table)
  if meta == false or meta and k.is_object(table) then
    refuse(1, "next", "table", table, 3, select("#", ...) == 0)
  end
  table = reveal(table)
  if key == nil then return first(table) end
  return following(table, key)
end
