-- The event bus of the node (docs/lua.md#events). Events come in as messages on a topic that no code can send to.
local k = ...
local raw, box = k.raw, k.box

local TOPIC, BUFFER = "@events", 64
local subscriptions, last = {}, 0
local methods = {}
local class = k.class("events.Subscription", methods)

local function want_string(v, what)
  if raw.type(v) ~= "string" then raw.error("events: " .. what .. " (string) expected", 3) end
end

--- Hand an event to its subscription. A full buffer drops it: the ones that wait are the older ones.
local function take(payloads)
  local state, event = subscriptions[payloads[1]], payloads[2]
  if not state then return end
  if k.queued(state.channel) < BUFFER then
    state.dropping = false
    k.push(state.channel, event)
  elseif not state.dropping then
    state.dropping = true
    k.log("warn", "events of " .. state.system .. " are dropped: " .. BUFFER .. " wait already", { kind = event.kind, path = event.path }, "events")
  end
end

box.topics[TOPIC] = { take = take }

local function forget(state)
  subscriptions[state.number] = nil
  k.retire(state.channel)
end

local function open(system)
  last = last + 1
  local state = { number = last, system = system, channel = k.external(BUFFER, "topic", TOPIC) }
  subscriptions[last] = state
  box.listeners[state.channel] = { topic = TOPIC, channel = state.channel, of_bus = true }
  return state
end

local lib = {}

--- Hear the events whose system and kind fit the patterns: Subscription, err.
function lib.subscribe(system, kind)
  want_string(system, "system")
  if kind ~= nil then want_string(kind, "kind") end
  if system == "" or kind == "" then return nil, k.invalid("events: a pattern must not be empty") end
  local ok, err = k.allowed("events.subscribe", system)
  if not ok then return nil, err end
  local state = open(system) -- before the host knows: the first event may come with its answer
  ok, err = k.ask("events.subscribe", state.number, system, kind)
  if not ok then
    forget(state)
    return nil, err
  end
  return k.new(class, state), nil
end

--- Tell who listens on this node: true, err.
function lib.send(system, kind, path, data)
  want_string(system, "system")
  want_string(kind, "kind")
  want_string(path, "path")
  if system == "" or kind == "" or path == "" then return nil, k.invalid("events: system, kind and path must not be empty") end
  local ok, err = k.allowed("events.send", system)
  if not ok then return nil, err end
  return k.ask("events.send", system, kind, path, data)
end

function methods.channel(self) return k.self(self, class, "events.Subscription").channel end

--- Hear no more; what waits in the channel can still be received.
function methods.close(self)
  local state = k.self(self, class, "events.Subscription")
  if subscriptions[state.number] then
    forget(state)
    k.ask("events.unsubscribe", state.number)
  end
  return true
end

k.modules.events = k.library(lib)
