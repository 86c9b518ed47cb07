-- Channels (docs/lua.md#channel). External channels (inbox, topics, events) are fed by the host
-- through k.push, which never blocks.
local k = ...
local raw = k.raw
local error, getmetatable = raw.error, raw.getmetatable
local yield, isyieldable = raw.coroutine.yield, raw.coroutine.isyieldable
local S, TOKEN, running = k.S, k.TOKEN, k.running
local wake_task = k.wake

local methods = k.fill_later({}, "select")
local class = k.class("channel", methods, { __tostring = function() return "channel" end })

local function queue() return { head = 1, tail = 0 } end

-- External channels on which something changed in this step: waits.lua looks at those alone when it ends.
local touched = { n = 0 }

local function touch(state)
  if state.touched then return end
  state.touched = true
  touched.n = touched.n + 1
  touched[touched.n] = state
end

local function enqueue(q, item)
  q.tail = q.tail + 1
  q[q.tail] = item
end

-- A waiter is the blocked task itself, or for select {group, index, value}: the first case that is
-- served marks the group {task, cases, fired, joined} as fired, and the others are skipped.

--- The first waiter that can still be served, removed; nil when there is none.
local function dequeue(q)
  while q.head <= q.tail do
    local waiter = q[q.head]
    q[q.head] = nil
    if q.head == q.tail then q.head, q.tail = 1, 0 else q.head = q.head + 1 end
    local group = waiter.group
    if not group then
      if not waiter.dead then return waiter end
    elseif not group.fired and not group.task.dead then
      group.fired = true
      return waiter
    end
  end
end

--- A new channel; `name` marks an external one: {kind, name} of the Wait it means.
function k.channel(capacity, external)
  local state = { capacity = capacity, buffer = queue(), receivers = queue(), senders = queue(), taken = 0, external = external }
  state.object = k.new(class, state)
  return state.object
end

local function buffered(state) return state.buffer.tail - state.buffer.head + 1 end

local function put(state, value)
  local b = state.buffer
  b.tail = b.tail + 1
  b[b.tail] = value -- nil is a value: the positions count
  if state.external then touch(state) end
end

local function take(state)
  local b = state.buffer
  local value = b[b.head]
  b[b.head] = nil
  b.head = b.head + 1
  if b.head > b.tail then b.head, b.tail = 1, 0 end
  state.taken = state.taken + 1
  if state.external then touch(state) end
  return value
end

-- A waiter is woken with its index (1 outside select), the value and ok.
local function wake(waiter, value, ok)
  local group = waiter.group
  if group then wake_task(group.task, waiter.index, value, ok) else wake_task(waiter, 1, value, ok) end
end

--- What a blocked sender sends.
local function offered(sender)
  if sender.group then return sender.value end
  return sender.sending
end

local function offer(state, value)
  local receivers = state.receivers
  if receivers.head > receivers.tail then return false end
  local receiver = dequeue(receivers)
  if not receiver then return false end
  state.taken = state.taken + 1
  if state.external then touch(state) end
  wake(receiver, value, true)
  return true
end

--- Receive without blocking: done, value, ok.
local function try_receive(state)
  if buffered(state) > 0 then
    local value = take(state)
    local sender = dequeue(state.senders)
    if sender then
      put(state, offered(sender))
      wake(sender, offered(sender), true)
    end
    return true, value, true
  end
  local sender = dequeue(state.senders)
  if sender then
    state.taken = state.taken + 1
    if state.external then touch(state) end
    local value = offered(sender)
    wake(sender, value, true)
    return true, value, true
  end
  if state.closed then return true, nil, false end
  return false
end

--- Send without blocking: whether it is done; raises on a closed channel.
local function try_send(state, value)
  if state.closed then error("send on closed channel", 3) end
  if offer(state, value) then return true end
  if buffered(state) < state.capacity then
    put(state, value)
    return true
  end
  return false
end

-- The state of a channel, by one native call: these run more often than anything else here.
local function state_of(self)
  if getmetatable(self) == class then return self[S] end
  error("channel expected (call the method with ':')", 3)
end

function methods.send(self, value)
  local state = getmetatable(self) == class and self[S] or state_of(self)
  local receivers = state.receivers
  local head = receivers.head
  local receiver = receivers[head]
  if receiver and not receiver.group and not receiver.dead then -- handed over, in as few steps as can be
    receivers[head] = nil
    if head == receivers.tail then receivers.head, receivers.tail = 1, 0 else receivers.head = head + 1 end
    state.taken = state.taken + 1
    if state.external then touch(state) end
    wake_task(receiver, 1, value, true)
    return true
  end
  if try_send(state, value) then return true end
  k.may_block()
  local task = running.task
  task.sending = value
  enqueue(state.senders, task)
  local _, _, ok = yield(TOKEN)
  if not ok then error("send on closed channel", 2) end
  return true
end

function methods.receive(self)
  local state = getmetatable(self) == class and self[S] or state_of(self)
  local buffer, senders = state.buffer, state.senders
  if buffer.head <= buffer.tail or senders.head <= senders.tail or state.closed then
    local done, value, ok = try_receive(state)
    if done then return value, ok end
  end
  if not isyieldable() then k.may_block() end
  local receivers = state.receivers
  local last = receivers.tail + 1
  receivers.tail, receivers[last] = last, running.task or k.may_block()
  if state.external then touch(state) end
  local _, value, ok = yield(TOKEN)
  return value, ok
end

local function close(state)
  if state.closed then return end
  state.closed = true
  if state.external then touch(state) end
  for receiver in dequeue, state.receivers do wake(receiver, nil, false) end
  for sender in dequeue, state.senders do wake(sender, offered(sender), false) end
end

function methods.close(self) close(k.self(self, class, "channel")) end

-- --- for the kernel ---------------------------------------------------------------------------

--- Give a value to an external channel; never blocks. A closed channel drops it.
function k.push(channel, value)
  local state = channel[S]
  if state.closed then return end
  if not offer(state, value) then put(state, value) end
end

function k.close_channel(channel) close(channel[S]) end

--- Values that wait in the channel.
function k.queued(channel) return buffered(channel[S]) end

local function is_live(waiter)
  local group = waiter.group
  if group then return not group.fired and not group.task.dead end
  return not waiter.dead
end

-- Whether some task is blocked in receiving; those before it that no longer are go, so that none is looked at twice.
local function has_receiver(state)
  local q = state.receivers
  while q.head <= q.tail do
    if is_live(q[q.head]) then return true end
    q[q.head] = nil
    q.head = q.head + 1
  end
  q.head, q.tail = 1, 0
  return false
end

-- The smallest number among the inbox and the topics of a select, looked for once, at the end of the step that began
-- it. Events don't count: tasks that each wait for an answer of their own all wait for a cancel.
local function least(cases)
  local found = nil
  for i = 1, #cases do
    local state = cases[i].channel
    local external = not cases[i].send and state.external
    if external and external.kind ~= "events" and not (found and found < state.number) then found = state.number end
  end
  return found
end

--- What the first receiver, which there is, waits for together: `joined` of the Wait (engine/steps.py).
local function joined_of(state)
  local q = state.receivers
  local group = q[q.head].group
  if not group then return state.number end
  if group.cases then group.joined, group.cases = least(group.cases), nil end
  return group.joined or state.number
end

local function without_served(q)
  local last = 0
  for i = q.head, q.tail do
    local waiter = q[i]
    q[i] = nil
    if is_live(waiter) then
      last = last + 1
      q[last] = waiter
    end
  end
  q.head, q.tail = 1, last
end

-- Add a case of a select. Those that another case served go when they may be the most of a queue: a channel that
-- never wins would keep one for each round of a loop.
local function enqueue_case(q, waiter)
  enqueue(q, waiter)
  if q.tail - q.head < (q.crowd or 32) then return end
  without_served(q)
  q.crowd = 32 + 2 * q.tail
end

k.channels = {
  class = class, methods = methods, enqueue_case = enqueue_case, touch = touch, touched = touched, has_receiver = has_receiver,
  joined_of = joined_of,
  buffered = buffered, take = take, try_receive = try_receive, try_send = try_send,
}
