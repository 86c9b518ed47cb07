-- Inbox, topics and events of a unit: where messages go (docs/lua.md#process-messages, docs/lua.md#process-events).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error

-- `topics`: listeners by topic; `listeners`: the same, and those of the bus, by channel.
local box = { topics = {}, listeners = {}, backlog = {}, queued_events = {} }

local function message_of(item) return k.message(item.topic, item.sender, item.payloads) end

local function give_to_listener(listener, item)
  if listener.take then return listener.take(item.payloads) end -- the event bus
  k.push(listener.channel, listener.as_message and message_of(item) or k.raw_payloads(item.payloads))
end

--- Deliver a message: to the listener of its topic, else to the inbox, else it waits for either.
function k.deliver(topic, sender, payloads)
  local item = { topic = topic, sender = sender, payloads = payloads }
  local listener = box.topics[topic]
  if listener then
    give_to_listener(listener, item)
  elseif box.inbox then
    k.push(box.inbox, message_of(item))
  else
    box.backlog[#box.backlog + 1] = item
  end
end

--- Hand over the waiting messages that `wanted` accepts, in order.
local function release(wanted, give)
  local rest = {}
  for i = 1, #box.backlog do
    local item = box.backlog[i]
    if wanted(item) then give(item) else rest[#rest + 1] = item end
  end
  box.backlog = rest
end

function k.open_inbox()
  if not box.inbox then
    box.inbox = k.external(0, "inbox", "")
    release(function() return true end, function(item) k.push(box.inbox, message_of(item)) end)
  end
  return box.inbox
end

--- Messages that wait for a listener or for the inbox to be opened.
function k.backlogged() return #box.backlog end

local externals = 0

--- A new channel that is fed from outside; `kind` and `name` are those of the Wait that it means (engine/steps.py).
function k.external(capacity, kind, name)
  externals = externals + 1
  local channel = k.channel(capacity, { kind = kind, name = name })
  channel[k.S].number = externals
  return channel
end

--- Close an external channel for good: what waits in it counts no more.
function k.retire(channel)
  local state = channel[k.S]
  box.listeners[channel], state.retired = nil, true
  if state.external then k.channels.touch(state) end
  k.close_channel(channel)
end

k.box, k.release, k.give_to_listener = box, release, give_to_listener

-- --- what every process does ------------------------------------------------------------------

--- "" or what is wrong with a topic; `verb` is "send to" or "listen to".
function k.topic_problem(topic, verb)
  if topic == "" then return "topic cannot be empty" end
  if raw.string.sub(topic, 1, 1) == "@" then return "cannot " .. verb .. " @ topics" end
  if not raw.utf8_len(topic) then return "topic must be UTF-8" end -- two others could become one on their way
end

local function want_string(v, what)
  if type(v) ~= "string" then error(what .. " (string) expected, got " .. k.std.type(v), 3) end
end

local lib = {}

function lib.pid() return k.pid end
function lib.inbox() return k.open_inbox() end

function lib.send(dest, topic, ...)
  want_string(dest, "destination")
  want_string(topic, "topic")
  local problem = k.topic_problem(topic, "send to")
  if problem then return nil, k.invalid(problem) end
  local target, err = dest, nil
  if k.checks then target, err = k.permitted_target("process.send", dest) end
  if err then return nil, err end
  k.may_block()
  local done
  if k.kind == "workflow" and k.version >= 2 then
    k.charge(1000) -- with the host's work
    done, err = k.service("send", target, topic, k.packed(...))
  else
    done, err = k.send_now(target, topic, ...)
  end
  if done ~= false then return done, err end
  return k.command("send", target, target, topic, k.packed(...))
end

k.std.process = k.library_later(lib, "process")
