-- Going on as another body, with the messages that were not taken yet (docs/lua.md#process-upgrade).
local k = ...
local raw, box = k.raw, k.box
local unpack = raw.unpack

--- Ask to go on as another body; blocks for ever.
function k.upgrade(entry, args)
  k.outcome = { "upgraded", entry, args }
  k.main.dead = true
  return k.park()
end

-- Drop what waits in the channel and return it as a list with n.
local function drain(channel)
  local state, list = channel[k.S], { n = 0 }
  while k.channels.buffered(state) > 0 do
    list.n = list.n + 1
    list[list.n] = k.channels.take(state)
  end
  return list
end

local function item_of(topic, value)
  if k.class_of(value) == "message" then return value[k.S] end
  return { topic = topic, sender = "", payloads = { n = 1, value } }
end

-- The listeners as they were opened.
local function in_order()
  local list = {}
  for _, listener in raw.next, box.listeners do list[#list + 1] = listener end
  raw.table.sort(list, function(a, b) return a.channel[k.S].number < b.channel[k.S].number end)
  return list
end

-- Take every unread message, as {topic, sender, payloads}: inbox, then topics, then the backlog.
local function take_unread()
  local items = {}
  local function add(channel, topic)
    local list = drain(channel)
    for i = 1, list.n do items[#items + 1] = item_of(topic, list[i]) end
  end
  if box.inbox then add(box.inbox, "") end
  local listeners = in_order()
  for i = 1, #listeners do add(listeners[i].channel, listeners[i].topic) end
  for i = 1, #box.backlog do items[#items + 1] = box.backlog[i] end
  return items
end

--- Put the record of an upgrade; returns nothing, or the outcome that it becomes when it can't cross.
function k.put_upgraded(entry, args)
  local unread, list = take_unread(), {}
  for i = 1, #unread do
    local item = unread[i]
    list[i] = k.packed(item.topic, item.sender, k.packed(unpack(item.payloads, 1, item.payloads.n)))
  end
  local ok, why = k.hand("upgraded", entry, args, k.packed(unpack(list)))
  if not ok then return "failed", k.invalid(why) end
end
