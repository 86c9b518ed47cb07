-- Where each coroutine of a unit stands: JSON, read by engine/lua/stacks.py. No part of the kernel: the host calls it
-- between two steps, on the state's main thread. It only looks: raw reads, no metamethod, no name that would load a file,
-- none of the kernel's counts; and it is bounded, whatever the unit holds.
local k, MOST, ALIKE, ROOM = ...
local raw, tasks, S, classes, channels = k.raw, k.tasks, k.S, k.classes, k.channels
local next, type, rawget, status = raw.next, raw.type, raw.rawget, raw.coroutine.status
local format, gsub, sub, byte, find = raw.string.format, raw.string.gsub, raw.string.sub, raw.string.byte, raw.string.find
local metatable, getinfo, getlocal = raw.getmetatable, raw.debug.getinfo, raw.debug.getlocal
local getupvalue, math_type, rawlen = raw.debug.getupvalue, raw.math.type, raw.rawlen

local DEPTH, ITEMS, COUNTED, TEXT, NAMED = 4, 25, 1000, 300, 40
local LEVELS, NESTED, PENDING, TASKS = 40, 8, 10000, 100000
local contents = rawget(k.lib, "contents") or {}

-- --- JSON ---------------------------------------------------------------------------------------

local out, n, room = {}, 0, ROOM

local function put(text)
  n = n + 1
  out[n] = text
  room = room - #text
end

local function escaped(c)
  if c == '"' or c == "\\" then return "\\" .. c end
  return format("\\u%04x", byte(c))
end

local function quoted(text) return '"' .. gsub(text, '[%c"\\]', escaped) .. '"' end

local function list(items, each)
  put("[")
  for i = 1, #items do
    if i > 1 then put(",") end
    each(items[i])
  end
  put("]")
end

-- --- values -------------------------------------------------------------------------------------

local put_value

local function put_number(v)
  if math_type(v) == "integer" then return put(format("%d", v)) end
  if v ~= v or v - v ~= 0 then return put(format('{"t":"number","text":"%s"}', v ~= v and "nan" or v > 0 and "inf" or "-inf")) end
  local text = format("%.17g", v)
  put(find(text, "[.e]") and text or text .. ".0")
end

local function put_string(v)
  if #v <= TEXT then return put(quoted(v)) end
  put(format('{"t":"string","size":%d,"text":%s}', #v, quoted(sub(v, 1, TEXT))))
end

-- Where a function stands in its source, or nil for one of the engine's or of Lua's.
local function place_of(f)
  local info = getinfo(f, "S")
  if info.what == "C" or info.source == "=?" or sub(info.source, 1, 9) == "=[kernel]" then return nil end
  return sub(info.source, 2), info.linedefined
end

local function put_function(v)
  local entry, line = place_of(v)
  if not entry then return put('{"t":"function"}') end
  put(format('{"t":"function","entry":%s,"line":%d}', quoted(entry), line))
end

local function put_object(v, class, depth, seen)
  put(format('{"t":"object","class":%s', quoted(class)))
  local state = rawget(v, S)
  local message = class == "error" and state and rawget(state, "message")
  if type(message) == "string" then
    put(',"text":')
    put_string(message)
  elseif class == "payload" and state then
    put(',"value":')
    put_value(rawget(state, "plain"), depth + 1, seen)
  elseif class == "time.Time" and state then
    put(format(',"sec":%d,"nsec":%d', rawget(state, "sec"), rawget(state, "nsec")))
  elseif class == "time.Duration" and state then
    put(format(',"ns":%d', rawget(state, "ns")))
  end
  put("}")
end

-- Some of the keys, those of a list first, and how many more there are (counted up to COUNTED).
local function keys_of(v)
  local keys, length, more = {}, rawlen(v), 0
  for i = 1, length < ITEMS and length or ITEMS do keys[i] = i end
  for key in next, v do
    if not (math_type(key) == "integer" and key >= 1 and key <= #keys and key <= length) then
      if #keys < ITEMS then keys[#keys + 1] = key else more = more + 1 end
      if more >= COUNTED then break end
    end
  end
  return keys, more
end

local function put_items(v, depth, seen)
  local keys, more = keys_of(v)
  put(',"items":')
  list(keys, function(key)
    put("[")
    put_value(key, DEPTH, seen)
    put(",")
    put_value(rawget(v, key), depth + 1, seen)
    put("]")
  end)
  if more > 0 then put(format(',"more":%d', more)) end
end

local function put_table(v, depth, seen)
  local mt = metatable(v)
  if mt and classes[mt] then return put_object(v, classes[mt], depth, seen) end
  if rawget(contents, v) then return put('{"t":"object","class":"library"}') end
  put('{"t":"table"')
  local name = mt and rawget(mt, "__name")
  if type(name) == "string" then put(',"class":' .. quoted(sub(name, 1, NAMED))) end
  if seen[v] then
    put(',"cycle":true')
  elseif depth >= DEPTH or room <= 0 then
    put(next(v) ~= nil and ',"deeper":true' or ',"items":[]')
  else
    seen[v] = true
    put_items(v, depth, seen)
    seen[v] = nil
  end
  put("}")
end

local simple = {
  ["nil"] = function() put("null") end,
  boolean = function(v) put(v and "true" or "false") end,
  number = put_number,
  string = put_string,
  ["function"] = put_function,
  table = put_table,
  thread = function(v) put(format('{"t":"coroutine","status":"%s"}', status(v))) end,
}

function put_value(v, depth, seen)
  local put_it = simple[type(v)]
  if not put_it then return put('{"t":"object","class":"userdata"}') end
  put_it(v, depth, seen)
end

-- --- what commands and channels they wait for ----------------------------------------------------
-- Of a command the kernel keeps what takes its answer: a closure over the task that waits, or over the channel that gets
-- it, perhaps one function further in.

local seq_of_task, seq_of_channel = {}, {}

local function note(v, seq, further)
  if type(v) == "table" then
    if tasks[rawget(v, "co")] == v then seq_of_task[v] = seq end
    local channel = rawget(v, "channel") or v
    if metatable(channel) == channels.class then seq_of_channel[rawget(channel, S)] = seq end
  elseif type(v) == "function" and further then
    for i = 1, 6 do
      local name, inner = getupvalue(v, i)
      if not name then break end
      note(inner, seq, false)
    end
  end
end

local function note_pending()
  local count = 0
  for seq, done in next, k.pending do
    for i = 1, 6 do
      local name, v = getupvalue(done, i)
      if not name then break end
      note(v, seq, true)
    end
    count = count + 1
    if count >= PENDING then return end
  end
end

-- The field of what may be anything, also a table that only looks like one of the kernel's.
local function field(v, name)
  if type(v) ~= "table" then return nil end
  return rawget(v, name)
end

local function text(v, default) return type(v) == "string" and v or default end

local function wait_of(channel, does)
  local state = metatable(channel) == channels.class and rawget(channel, S) or channel
  local external, number = field(state, "external"), field(state, "number")
  return {
    does = does, kind = text(field(external, "kind"), "channel"), name = text(field(external, "name"), ""),
    number = external and math_type(number) == "integer" and number or nil, seq = seq_of_channel[state],
  }
end

local function select_waits(cases)
  local waits = {}
  for i = 1, raw.math.min(rawlen(cases), ITEMS) do
    local case = rawget(cases, i)
    waits[i] = wait_of(field(case, "channel"), field(case, "send") and "select send" or "select")
  end
  return waits
end

local function is_cases(v) return field(field(field(v, 1), "channel"), "receivers") ~= nil end

-- What a frame of the kernel says of its coroutine's wait; nil when it says nothing.
local function waits_in(co, level, f)
  local _, first = getlocal(co, level, 1)
  if f == k.command then
    local _, name = getlocal(co, level, 2)
    local _, seq = getlocal(co, level, 4)
    return { { does = "answer", kind = text(first, "command"), name = text(name, ""), seq = math_type(seq) == "integer" and seq or nil } }
  elseif f == channels.methods.receive then
    return { wait_of(first, "receive") }
  elseif f == channels.methods.send then
    return { wait_of(first, "send") }
  elseif is_cases(first) then
    return select_waits(first)
  end
end

-- --- frames -------------------------------------------------------------------------------------

-- The coroutine that a frame of the kernel has resumed, and which waits for the engine.
local function resumed_by(co, level)
  for i = 1, 3 do
    local name, v = getlocal(co, level, i)
    if not name then return nil end
    if type(v) == "thread" and v ~= co and not tasks[v] and status(v) == "suspended" then return v end
  end
end

local function is_kernel(info) return info.what ~= "C" and (info.source == "=?" or sub(info.source, 1, 9) == "=[kernel]") end

-- Adds the frames of user code, innermost first, to `frames`: those of a coroutine that it resumed stand before its own.
local function gather(co, frames, nested)
  local level, waits, inner, own = 0, nil, nil, false
  while level < LEVELS * 2 and #frames < LEVELS do
    local info = getinfo(co, level, "Slnf")
    if not info then return waits end
    if is_kernel(info) then
      if not own then
        waits = waits or waits_in(co, level, info.func)
        inner = not waits and nested < NESTED and resumed_by(co, level) or nil
        if inner then waits = gather(inner, frames, nested + 1) end
      end
    elseif info.what ~= "C" then
      own = true
      frames[#frames + 1] = { co = co, level = level, info = info }
    end
    level = level + 1
  end
  frames.cut = getinfo(co, level, "S") ~= nil or nil
  return waits
end

local function depth_of(co)
  local low, high = 1, 1
  while getinfo(co, high, "S") do low, high = high, high * 2 end
  while low + 1 < high do
    local middle = (low + high) // 2
    if getinfo(co, middle, "S") then low = middle else high = middle end
  end
  return low
end

local function named(name, v) return { name = name, value = v } end

local function locals_of(frame)
  local found = {}
  for i = 1, NAMED do
    local name, v = getlocal(frame.co, frame.level, i)
    if not name then break end
    if sub(name, 1, 1) ~= "(" then found[#found + 1] = named(name, v) end
  end
  for i = 1, 5 do
    local name, v = getlocal(frame.co, frame.level, -i)
    if not name then break end
    found[#found + 1] = named("..." .. i, v)
  end
  return found
end

-- The variables of functions around it; not its environment, and no functions and libraries, of which they are full.
local function upvalues_of(frame)
  local found = {}
  for i = 1, NAMED do
    local name, v = getupvalue(frame.info.func, i)
    if not name then break end
    local library = type(v) == "function" or type(v) == "table" and rawget(contents, v)
    if name ~= "_ENV" and not library then found[#found + 1] = named(name, v) end
  end
  return found
end

local function put_variables(field, found)
  put(format(',"%s":', field))
  list(found, function(variable)
    if room <= 0 then return put("null") end
    put(format('{"name":%s,"value":', quoted(variable.name)))
    put_value(variable.value, 0, {})
    put("}")
  end)
end

local function put_frame(frame)
  local info = frame.info
  put(format('{"entry":%s,"line":%d,"from":%d,"function":%s', quoted(sub(info.source, 2)), info.currentline, info.linedefined,
    quoted(info.what == "main" and "main chunk" or info.name or "")))
  if room > 0 then
    put_variables("locals", locals_of(frame))
    put_variables("upvalues", upvalues_of(frame))
  end
  put("}")
end

local function put_wait(wait)
  put(format('{"does":%s,"kind":%s,"name":', quoted(wait.does), quoted(wait.kind)))
  put_string(wait.name)
  if wait.seq then put(format(',"seq":%d', wait.seq)) end
  if wait.number then put(format(',"number":%d', wait.number)) end
  put("}")
end

-- --- coroutines ---------------------------------------------------------------------------------

local places, kept, listed = {}, {}, 0

local function key_of(frames, waits)
  local parts = {}
  for i = 1, #frames do parts[i] = format("%s:%d:%d", frames[i].info.source, frames[i].info.linedefined, frames[i].info.currentline) end
  for i = 1, #(waits or {}) do parts[#parts + 1] = waits[i].does .. " " .. waits[i].kind end
  return raw.table.concat(parts, "\n")
end

-- Of coroutines that stand at one place some are listed, and the others counted.
local function look_at(task)
  local frames = {}
  local waits = gather(task.co, frames, 0)
  if not waits and seq_of_task[task] then waits = { { does = "sleep", kind = "timer", name = "", seq = seq_of_task[task] } } end
  local key = key_of(frames, waits)
  local place = places[key]
  if not place then
    place = { count = 0 }
    places[key] = place
  end
  place.count = place.count + 1
  if place.count > ALIKE then return end
  kept[#kept + 1] = { task = task, frames = frames, waits = waits or {}, place = place }
end

local function put_coroutine(each)
  put(format('{"main":%s,"alike":%d,"waits":', each.task == k.main and "true" or "false", each.place.count))
  list(each.waits, put_wait)
  if each.frames.cut then put(format(',"depth":%d', depth_of(each.task.co))) end
  put(',"frames":')
  list(each.frames, put_frame)
  put("}")
end

note_pending()
local total = 0
if k.main and not k.main.dead then look_at(k.main) end
for _, task in next, tasks do
  if not task.dead then
    total = total + 1
    if task ~= k.main and listed < MOST then
      listed = listed + 1
      look_at(task)
    end
    if total >= TASKS then break end
  end
end
put(format('{"total":%d,"looked":%d,"coroutines":', total, listed + 1))
list(kept, put_coroutine)
put(format(',"cut":%s}', room <= 0 and "true" or "false"))
return raw.table.concat(out)
