-- Lua patterns within the step's budget. A native match is one C call that no count hook can stop, and its
-- worst case is a power of the subject's length. So:
--   k.pattern.cost(p)  bounds the native work: at most c * (n + 1) ^ d character steps on n bytes
--   k.pattern.search   is string.find for the rest, in Lua; native calls only test one class at one place
-- Errors are raised without a position; the string library adds the user's.
local k = ...
local raw = k.raw
local error, unpack, setmetatable = raw.error, raw.unpack, raw.setmetatable
local find, sub, byte, gsub, char = raw.string.find, raw.string.sub, raw.string.byte, raw.string.gsub, raw.string.char
local charge = k.charge

local MAX_CAPTURES, MAX_DEPTH = 32, 200
local OF_PATTERN = k.version == 1 and " in pattern" or ""
local SUFFIXES = { ["*"] = "star", ["+"] = "plus", ["-"] = "lazy", ["?"] = "option" }
local RECURSING = { star = true, plus = true, lazy = true, option = true, open = true, close = true, place = true }

-- Compiling -----------------------------------------------------------------------------------

-- The index after the single class at `i`; nil and a message when it is malformed.
local function class_end(p, i)
  local c = sub(p, i, i)
  if c == "%" then
    if i == #p then return nil, "malformed pattern (ends with '%')" end
    return i + 2
  end
  if c ~= "[" then return i + 1 end
  i = i + 1
  if sub(p, i, i) == "^" then i = i + 1 end
  repeat
    if i > #p then return nil, "malformed pattern (missing ']')" end
    if sub(p, i, i) == "%" then i = i + 1 end
    i = i + 1
  until sub(p, i, i) == "]"
  return i + 1
end

-- `one` tests the class at a place, `run` spans as many as there are; `weight` is the price of one test.
local function class_item(op, class)
  local weight = 1 + #class // 8
  return { op = op, class = class, one = "^" .. class, run = "^" .. class .. "*", weight = weight }
end

local function balance_item(p, i)
  if i + 3 > #p then return { op = "fail", message = "malformed pattern (missing arguments to '%b')" } end
  return { op = "native", one = "^" .. sub(p, i, i + 3), spans = true, weight = 1 }, i + 4
end

local function frontier_item(p, i)
  if sub(p, i + 2, i + 2) ~= "[" then return { op = "fail", message = "missing '[' after '%f' in pattern" } end
  local stop, message = class_end(p, i + 2)
  if not stop then return { op = "fail", message = message } end
  local text = sub(p, i, stop - 1)
  return { op = "native", one = "^" .. text, weight = 1 + #text // 8 }, stop
end

-- `open` is the stack of captures that are still open, `open.count` how many there are in all.
local function capture_item(p, i, open)
  local place = sub(p, i + 1, i + 1) == ")"
  open.count = open.count + 1
  if open.count > MAX_CAPTURES then return { op = "fail", message = "too many captures" } end
  if place then return { op = "place", level = open.count }, i + 2 end
  open[#open + 1] = open.count
  return { op = "open", level = open.count }, i + 1
end

local function close_item(_, i, open)
  local level = open[#open]
  if not level then return { op = "fail", message = "invalid pattern capture" } end
  open[#open] = nil
  return { op = "close", level = level }, i + 1
end

local function reference_item(p, i, open)
  local level = byte(p, i + 1) - 48
  local usable = level >= 1 and level <= open.count
  for _, other in raw.ipairs(open) do usable = usable and other ~= level end
  if not usable then return { op = "fail", message = "invalid capture index %" .. level .. OF_PATTERN } end
  return { op = "reference", level = level }, i + 2
end

local function single_item(p, i)
  local stop, message = class_end(p, i)
  if not stop then return { op = "fail", message = message } end
  local class = sub(p, i, stop - 1)
  if #class == 1 and class ~= "." and not find(class, "^%w") then class = "%" .. class end
  local op = SUFFIXES[sub(p, stop, stop)]
  return class_item(op or "single", class), op and stop + 1 or stop
end

local function parse_item(p, i, open)
  local c = sub(p, i, i)
  if c == "(" then return capture_item(p, i, open) end
  if c == ")" then return close_item(p, i, open) end
  if c == "$" and i == #p then return { op = "end" }, i + 1 end
  if c == "%" then
    local kind = sub(p, i + 1, i + 1)
    if kind == "b" then return balance_item(p, i) end
    if kind == "f" then return frontier_item(p, i) end
    if find(kind, "^%d") then return reference_item(p, i, open) end
  end
  return single_item(p, i)
end

-- A pattern as a list of items. What is malformed becomes an item that fails when it is reached, as natively.
local function compile(p)
  local items, open, depth = {}, { count = 0 }, 0
  local anchored = sub(p, 1, 1) == "^"
  local i = anchored and 2 or 1
  while i and i <= #p do
    items[#items + 1], i = parse_item(p, i, open)
    if RECURSING[items[#items].op] then depth = depth + 1 end
    if depth >= MAX_DEPTH then
      items[#items + 1], i = { op = "fail", message = "pattern too complex" }, nil
    end
  end
  local unfinished = #open > 0
  if unfinished and k.version == 1 then
    items[#items + 1] = { op = "fail", message = "unfinished capture" }
  else
    items[#items + 1], items.unfinished, items.malformed = { op = "done" }, unfinished, unfinished
  end
  items.anchored = anchored
  for _, item in raw.ipairs(items) do items.malformed = items.malformed or item.op == "fail" end
  return items
end

-- Cost ----------------------------------------------------------------------------------------

local ALL = {}
for code = 0, 255 do ALL[code + 1] = char(code) end
ALL = raw.table.concat(ALL)

local function disjoint(a, b)
  local not_a, not_b = gsub(ALL, a, ""), gsub(ALL, b, "")
  return 512 - #not_a - #not_b == 256 - #gsub(not_a, b, "")
end

-- What must follow item i makes every shorter span of its class fail at once.
local function settles(items, i)
  local j = i + 1
  while items[j].op == "open" or items[j].op == "close" or items[j].op == "place" do j = j + 1 end
  local follower = items[j]
  if follower.op == "end" then return true end
  if follower.op ~= "single" and follower.op ~= "plus" then return false end
  return disjoint(items[i].class, follower.class)
end

-- The state of the analysis of items i.. at one place, as {c, d} = c * (n + 1) ^ d:
--   fc, fd  work of a failing attempt (fc 0: it cannot fail)
--   ec, ed  work of a successful one beyond the bytes that it consumes
--   rc, rd  work per byte consumed
--   empty   it matches at the end of the subject
local function worst(fc, fd, c, d)
  return fc + c, fd > d and fd or d
end

local function analyse_span(state, items, i)
  local item = items[i]
  local w, fc, fd = item.weight, state.fc, state.fd
  local never = fc == 0 or item.class == "." and state.empty and item.op ~= "plus"
  if fc == 0 then
    state.rc = state.rc > w and state.rc or w
  elseif settles(items, i) then
    state.fc, state.fd = worst(fc, fd, w + 1, 1)
    if item.op == "lazy" then state.rc = state.rc + w + 1 end
  else
    state.fc, state.fd = fc + w, fd + 1
    if item.op == "lazy" then
      state.rc, state.rd = worst(state.rc, state.rd, fc + w, fd)
    else
      state.ec, state.ed = worst(state.ec, state.ed, fc + w, fd + 1)
    end
  end
  if item.op == "plus" then
    state.fc, state.empty = state.fc + w, false
  elseif never then
    state.fc, state.fd = 0, 0
  end
end

local function analyse_item(state, items, i)
  local item = items[i]
  local op = item.op
  if op == "star" or op == "plus" or op == "lazy" then
    analyse_span(state, items, i)
  elseif op == "option" then
    state.ec, state.ed = worst(state.ec, state.ed, state.fc, state.fd)
    if state.fc > 0 then state.fc = 2 * state.fc + item.weight end
  elseif op == "end" then
    state.fc = 1
  elseif op == "open" or op == "close" or op == "place" then
    if state.fc > 0 then state.fc = state.fc + 1 end
  elseif op ~= "done" then
    local long = op == "reference" or item.spans
    state.fc, state.fd = worst(state.fc, state.fd, item.weight or 1, long and 1 or 0)
    state.empty = false
  end
end

-- A malformed pattern never goes to the native matcher, so that its errors come from here.
local function analyse(items, malformed)
  if malformed then return raw.math.huge, 2 end
  local state = { fc = 0, fd = 0, ec = 0, ed = 0, rc = 1, rd = 0, empty = true }
  for i = #items, 1, -1 do analyse_item(state, items, i) end
  local starts = items.anchored and 0 or 1
  local c, d = worst(1, 1, state.fc, state.fd + starts)
  c, d = worst(c, d, state.rc, state.rd + 1)
  c, d = worst(c, d, state.ec, state.ec > 0 and state.ed + starts or 0)
  return c, d, state.ec == 0, state.fd + starts == 0
end

-- Caches: a few small entries, dropped together when full.
local function cache(size, make)
  local held, count = {}, 0
  return function(p)
    local entry = held[p]
    if entry then return entry end
    entry = make(p)
    if #p <= 256 then
      if count >= size then held, count = {}, 0 end
      held[p], count = entry, count + 1
    end
    return entry
  end
end

local programs = cache(16, compile)

-- {c, d, near, brief} for a pattern; see the head of this file. When d is 1, and near, a match looks no further than it
-- reaches; when brief, an attempt that fails looks at a few bytes only.
local cost = cache(64, function(p)
  charge(#p * 8)
  local c, d, near, brief = analyse(programs(p), programs(p).malformed)
  return { c, d, near = near, brief = brief }
end)

-- Matching ------------------------------------------------------------------------------------

local match

local function span_end(m, item, at)
  if item.class == "." then return m.size + 1 end
  local _, stop = find(m.subject, item.run, at)
  if stop - at > 64 then charge((stop - at) * item.weight // 8) end
  return stop + 1
end

local function match_greedy(m, item, at, i)
  local least = item.op == "plus" and at + 1 or at
  for stop = span_end(m, item, at), least, -1 do
    local done = match(m, stop, i + 1)
    if done then return done end
  end
  return nil
end

local function match_lazy(m, item, at, i)
  local follower, limit = m.items[i + 1], span_end(m, item, at)
  while at <= limit do
    if follower.op == "single" then
      local from = at
      at = find(m.subject, follower.class, at)
      if not at or at > limit then return nil end
      if at - from > 64 then charge((at - from) * follower.weight // 8) end
    end
    local done = match(m, at, i + 1)
    if done then return done end
    at = at + 1
  end
  return nil
end

local function match_capture(m, item, at, i)
  local level = item.level
  if item.op == "close" then
    m.stops[level] = at
  else
    m.starts[level], m.stops[level] = at, item.op == "place" and "place" or nil
    m.level = level
  end
  local done = match(m, at, i + 1)
  if not done then
    if item.op == "close" then m.stops[level] = nil else m.level = level - 1 end
  end
  return done
end

-- The place after the text of an earlier capture, or nil.
local function match_reference(m, item, at)
  local stop = m.stops[item.level]
  if stop == "place" then return nil end
  local text = sub(m.subject, m.starts[item.level], stop - 1)
  charge(1 + #text // 8)
  if sub(m.subject, at, at + #text - 1) == text then return at + #text end
  return nil
end

-- Matches items i.. at place `at`: the place after the match, or nil.
function match(m, at, i)
  local items, subject = m.items, m.subject
  while true do
    local item = items[i]
    local op = item.op
    if op == "single" then
      if item.weight > 4 then charge(item.weight) end
      if not find(subject, item.one, at) then return nil end
      at = at + 1
    elseif op == "star" or op == "plus" then
      return match_greedy(m, item, at, i)
    elseif op == "lazy" then
      return match_lazy(m, item, at, i)
    elseif op == "option" then
      local done = find(subject, item.one, at) and match(m, at + 1, i + 1)
      if done then return done end
    elseif op == "native" then
      local from, stop = find(subject, item.one, at)
      if item.spans then charge((stop or m.size) - at > 0 and ((stop or m.size) - at) // 8 or 1) end
      if not from then return nil end
      at = stop + 1
    elseif op == "reference" then
      at = match_reference(m, item, at)
      if not at then return nil end
    elseif op == "end" then
      if at <= m.size then return nil end
    elseif op == "done" then
      return at
    elseif op == "fail" then
      error(item.message, 0)
    else
      return match_capture(m, item, at, i)
    end
    i = i + 1
  end
end

local function captures(m, lenient)
  local values = {}
  for level = 1, m.level do
    local start, stop = m.starts[level], m.stops[level]
    if not stop and not lenient then error("unfinished capture", 0) end
    values[level] = stop == "place" and start or stop and sub(m.subject, start, stop - 1) or false
  end
  return unpack(values, 1, m.level)
end

-- The class that a match must begin with, if there is one: the search can jump to it.
local function first_class(items)
  local i = 1
  while items[i].op == "open" or items[i].op == "place" do i = i + 1 end
  local op = items[i].op
  return (op == "single" or op == "plus") and items[i] or nil
end

-- Like string.find(subject, p, init) with 1 <= init; returns first, last, captures or nothing. When `lenient`, a capture
-- that was not finished is false.
local function search(subject, p, init, lenient)
  local items = programs(p)
  local m = { subject = subject, size = #subject, items = items, level = 0, starts = {}, stops = {} }
  local first = not items.anchored and first_class(items)
  local at, last = init, items.anchored and init or m.size + 1
  if init > m.size + 1 then return nil end
  while at <= last do
    if first then
      local from = at
      at = find(subject, first.class, at)
      charge(((at or m.size) - from) * first.weight // 8 + 1)
      if not at then return nil end
    end
    m.level = 0
    local stop = match(m, at, 1)
    if stop then return at, stop - 1, captures(m, lenient) end
    at = at + 1
  end
  return nil
end

local function lenient_search(subject, p, init) return search(subject, p, init, true) end

-- The search for who may not look at the captures, when one of them is not finished.
local function lenient(p) return programs(p).unfinished and lenient_search end

k.pattern = { cost = cost, search = search, lenient = lenient }
