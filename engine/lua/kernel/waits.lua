-- What a unit waits for, looked at after each step where something changed: a step must not cost more for what it holds.
local k = ...
local raw, unpack = k.raw, k.raw.unpack
local channels = k.channels
local touched, buffered, has_receiver = channels.touched, channels.buffered, channels.has_receiver
local joined_of = channels.joined_of

local unread, hearing = 0, 0

-- The messages that wait in it; those of events and of a channel that nobody listens to any more don't count.
local function count(state)
  local now = (state.retired or state.external.kind == "events") and 0 or buffered(state)
  unread = unread + now - (state.counted or 0)
  state.counted = now
end

-- The text of what the wait asks, if the host does not know it: a wait keeps what it began with, and goes on to do so
-- when the same receiver waits for the same message.
local function ask_of(state, taken, first)
  local ask, goes_on = state.ask, taken == state.told and first == state.told_first
  state.told_first = first
  if not first or goes_on or not ask or ask == state.told_ask then return nil end
  local text = ask.text
  state.told_ask, ask.text = ask, nil
  return text
end

-- A change for the host (Heard of engine/lua/waits.py), or nil: {number, kind, name, taken, joined} and perhaps the ask,
-- {number} when it is over, {number, "closed"} when what was asked there is as well.
local function change_of(state, heard)
  local first = heard and state.receivers[state.receivers.head] or nil
  local taken, joined = heard and state.taken or nil, heard and joined_of(state) or nil
  local text = ask_of(state, taken, first)
  if state.retired and state.told_ask then return k.packed(state.number, "closed") end
  if taken == state.told and joined == state.told_joined and not text then return nil end
  state.told, state.told_joined = taken, joined
  if not heard then return k.packed(state.number) end
  if text then return k.packed(state.number, state.external.kind, state.external.name, taken, joined, text) end
  return k.packed(state.number, state.external.kind, state.external.name, taken, joined)
end

-- Runs begun before tell nothing of selects.
if k.version < 2 then joined_of = function() return 0 end end

-- Count what waits in the channel and whether a task waits for it; the change, in workflows.
local function look(state)
  state.touched = false
  count(state)
  local heard = has_receiver(state)
  if heard ~= (state.heard or false) then hearing = hearing + (heard and 1 or -1) end
  state.heard = heard
  local change = k.is_workflow and change_of(state, heard) or nil
  if state.retired then state.external = nil end
  return change
end

--- Look at what changed; a workflow's host is told.
function k.look()
  if touched.n == 0 then return end
  local changes, n = {}, 0
  for i = 1, touched.n do
    local change = look(touched[i])
    touched[i] = nil
    if change then
      n = n + 1
      changes[n] = change
    end
  end
  touched.n = 0
  if n > 0 then k.hand("heard", k.packed(unpack(changes, 1, n))) end
end

--- Messages that nobody has taken yet: count for the host's bound.
function k.unread() return unread + k.backlogged() end

--- Whether some task waits for what comes from outside.
function k.hears() return hearing > 0 end
