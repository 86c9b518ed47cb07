-- Inbox, topics and events of a unit: where messages go (lua-api 5.1, 5.4).
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error

local box = { topics = {}, order = {}, backlog = {}, queued_events = {} }

local function message_of(item) return k.message(item.topic, item.sender, item.payloads) end

local function give_to_listener(listener, item)
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
  local kept = {}
  for i = 1, #box.backlog do
    local item = box.backlog[i]
    if wanted(item) then give(item) else kept[#kept + 1] = item end
  end
  box.backlog = kept
end

function k.open_inbox()
  if not box.inbox then
    box.inbox = k.channel(0, { kind = "inbox", name = "" })
    release(function() return true end, function(item) k.push(box.inbox, message_of(item)) end)
  end
  return box.inbox
end

--- "" or what is wrong with a topic; `verb` is "send to" or "listen to".
function k.topic_problem(topic, verb)
  if topic == "" then return "topic cannot be empty" end
  if raw.string.sub(topic, 1, 1) == "@" then return "cannot " .. verb .. " @ topics" end
end

function k.listen(topic, options)
  local listener = box.topics[topic]
  if listener then return listener.channel end
  listener = {
    topic = topic,
    channel = k.channel(1, { kind = "topic", name = topic }),
    as_message = type(options) == "table" and options.message == true,
  }
  box.topics[topic] = listener
  box.order[#box.order + 1] = listener
  release(function(item) return item.topic == topic end, function(item) give_to_listener(listener, item) end)
  return listener.channel
end

function k.unlisten(channel)
  for i = 1, #box.order do
    local listener = box.order[i]
    if listener.channel == channel then
      raw.table.remove(box.order, i)
      box.topics[listener.topic] = nil
      k.close_channel(channel)
      return true
    end
  end
  return false, k.invalid("not a listen channel")
end

-- --- events -----------------------------------------------------------------------------------

function k.open_events()
  if not box.events then
    box.events = k.channel(0, { kind = "events", name = "" })
    for i = 1, #box.queued_events do k.push(box.events, box.queued_events[i]) end
    box.queued_events = {}
  end
  return box.events
end

function k.raise_event(event)
  if box.events then
    k.push(box.events, event)
  else
    box.queued_events[#box.queued_events + 1] = event
  end
end

-- `type` and `pid` are the seed's names for `kind` and `from`.
local kinds = { EXIT = "pid.exit", LINK_DOWN = "pid.link.down", CANCEL = "pid.cancel" }

function k.exit_event(name, pid, at, value, failure)
  return { kind = kinds[name], type = name, from = pid, pid = pid, at = at, result = { value = value, error = failure } }
end

function k.cancel_event(sender, reason, at)
  return { kind = kinds.CANCEL, type = "CANCEL", from = sender, pid = sender, at = at, reason = reason }
end

--- Messages that nobody has taken yet: count for the host's bound.
function k.unread()
  local n = #box.backlog + (box.inbox and k.queued(box.inbox) or 0)
  for i = 1, #box.order do n = n + k.queued(box.order[i].channel) end
  return n
end

local function item_of(topic, value)
  if k.class_of(value) == "message" then return value[k.S] end
  return { topic = topic, sender = "", payloads = { n = 1, value } }
end

--- Take every unread message, as {topic, sender, payloads}: inbox, then topics, then the backlog.
function k.take_unread()
  local items = {}
  local function add(channel, topic)
    local list = k.drain(channel)
    for i = 1, list.n do items[#items + 1] = item_of(topic, list[i]) end
  end
  if box.inbox then add(box.inbox, "") end
  for i = 1, #box.order do add(box.order[i].channel, box.order[i].topic) end
  for i = 1, #box.backlog do items[#items + 1] = box.backlog[i] end
  return items
end

--- External channels, in the order of opening, for deadlock detection and waits.
function k.external_channels()
  local list = {}
  if box.inbox then list[1] = box.inbox end
  if box.events then list[#list + 1] = box.events end
  for i = 1, #box.order do list[#list + 1] = box.order[i].channel end
  return list
end
