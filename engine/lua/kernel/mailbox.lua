-- Inbox, topics and events of a unit: where messages go (docs/lua.md#process-messages, docs/lua.md#process-events).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error

local box = { topics = {}, order = {}, backlog = {}, queued_events = {} }

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
    box.inbox = k.channel(0, { kind = "inbox", name = "" })
    release(function() return true end, function(item) k.push(box.inbox, message_of(item)) end)
  end
  return box.inbox
end

--- Messages that nobody has taken yet: count for the host's bound.
function k.unread()
  local n = #box.backlog + (box.inbox and k.queued(box.inbox) or 0)
  for i = 1, #box.order do n = n + k.queued(box.order[i].channel) end
  return n
end

--- Whether some task waits for what comes from outside.
function k.hears()
  if box.inbox and k.has_receiver(box.inbox) or box.events and k.has_receiver(box.events) then return true end
  for i = 1, #box.order do
    if k.has_receiver(box.order[i].channel) then return true end
  end
  return false
end

--- External channels, in the order of opening, for waits.
function k.external_channels()
  local list = {}
  if box.inbox then list[1] = box.inbox end
  if box.events then list[#list + 1] = box.events end
  for i = 1, #box.order do list[#list + 1] = box.order[i].channel end
  return list
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
