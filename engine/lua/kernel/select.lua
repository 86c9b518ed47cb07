-- What else channels can do: select, iterate; the `channel` global.
local k = ...
local raw, methods, class = k.raw, k.channels.methods, k.channels.class
local type, error = raw.type, raw.error
local S = k.S
local enqueue_case, touch, try_receive, try_send = k.channels.enqueue_case, k.channels.touch, k.channels.try_receive, k.channels.try_send
local case_class = k.class("channel.case", {})

function methods.case_receive(self)
  return k.new(case_class, { channel = k.self(self, class, "channel") })
end

function methods.case_send(self, value)
  return k.new(case_class, { channel = k.self(self, class, "channel"), send = true, value = value })
end

--- for value in ch:iter() do ... end: until the channel is closed.
function methods.iter(self)
  k.self(self, class, "channel")
  return function()
    local value, ok = methods.receive(self)
    if ok then return value end
  end
end

-- --- select -----------------------------------------------------------------------------------

local function outcome(case, value, ok)
  return { channel = case.channel.object, value = value, ok = ok }
end

local function cases_of(list)
  if type(list) ~= "table" or k.is_object(list) then error("channel.select: table of cases expected", 3) end
  local cases = {}
  for i = 1, raw.rawlen(list) do
    local case = raw.rawget(list, i)
    if raw.type(case) ~= "table" or raw.getmetatable(case) ~= case_class then
      error("channel.select: case " .. i .. " is not a channel case", 3)
    end
    cases[i] = case[S]
  end
  return cases
end

local function try_case(case)
  if case.send then return try_send(case.channel, case.value), case.value, true end
  return try_receive(case.channel)
end

local function touch_all(cases)
  for i = 1, #cases do
    if cases[i].channel.external then touch(cases[i].channel) end
  end
end

local function block_on(cases)
  k.may_block()
  local group = { task = k.current(), cases = cases }
  for i = 1, #cases do
    local case = cases[i]
    enqueue_case(case.send and case.channel.senders or case.channel.receivers, { group = group, index = i, value = case.value })
  end
  touch_all(cases)
  local index, value, ok = k.park()
  group.cases = nil
  touch_all(cases) -- it waits on none of them any more
  local case = cases[index]
  if case.send and not ok then error("send on closed channel", 3) end
  return outcome(case, value, ok)
end

local lib = {}

--- channel.select{case, ..., default=true} or channel.select(cases, true); the first ready case wins.
function lib.select(list, default)
  local cases = cases_of(list)
  for i = 1, #cases do
    local done, value, ok = try_case(cases[i])
    if done then return outcome(cases[i], value, ok) end
  end
  if default or raw.rawget(list, "default") then return { default = true, ok = true } end
  return block_on(cases)
end

function lib.new(capacity)
  capacity = capacity or 0
  if raw.math.type(capacity) ~= "integer" then capacity = raw.math.tointeger(capacity) end
  if not capacity or capacity < 0 then error("channel.new: size must be a whole number of at least 0", 2) end
  return k.channel(capacity)
end

k.std.channel = k.library(lib)
