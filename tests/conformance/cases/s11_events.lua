--- 11.3 events
local M = {}

--- A system of this run's own: other cases send at the same time.
local function own(name)
  return name .. "_" .. process.pid():gsub("[^%w]", "_")
end

-- on: function process
-- modules: events
--- An event has system, kind, path and data; without data there is none
function M.event_fields()
  local system = own("orders")
  local sub, err = events.subscribe(system)
  assert(err == nil and type(sub) == "userdata")
  assert(events.send(system, "order.created", "/orders/7", { total = 30, items = { "a" } }) == true)
  assert(events.send(system, "heartbeat", "/health"))
  local event, ok = sub:channel():receive()
  assert(ok and event.system == system and event.kind == "order.created" and event.path == "/orders/7")
  assert(event.data.total == 30 and event.data.items[1] == "a")
  event = sub:channel():receive()
  assert(event.kind == "heartbeat" and event.data == nil)
end

-- on: function process
-- modules: events
--- The channel is the same each time, and select can wait for it
function M.channel_identity()
  local system = own("identity")
  local sub = events.subscribe(system)
  assert(sub:channel() == sub:channel())
  coroutine.spawn(function() events.send(system, "k", "p") end)
  local result = channel.select { sub:channel():case_receive(), process.inbox():case_receive() }
  assert(result.channel == sub:channel() and result.value.kind == "k")
end

-- on: function process
-- modules: events
--- `*` is one segment of a system, `**` any number, (a|b) either
function M.patterns_of_systems()
  local base = own("shop")
  local function told(pattern)
    local sub = assert(events.subscribe(pattern))
    for _, name in ipairs { "", ".eu", ".us", ".eu.north" } do assert(events.send(base .. name, "at" .. name, "p")) end
    sub:close()
    local kinds = {}
    for event in sub:channel():iter() do kinds[#kinds + 1] = event.kind end
    return table.concat(kinds, " ")
  end
  assert(told(base) == "at")
  assert(told(base .. ".*") == "at.eu at.us")
  assert(told(base .. ".**") == "at at.eu at.us at.eu.north")
  assert(told(base .. ".(eu|asia)") == "at.eu")
  assert(told(base .. ".*.north") == "at.eu.north")
end

-- on: function process
-- modules: events
--- The second argument chooses by kind; without it, and as `*`, every kind is heard
function M.patterns_of_kinds()
  local system = own("kinds")
  local subs = {
    exact = events.subscribe(system, "order.created"),
    star = events.subscribe(system, "order.*"),
    either = events.subscribe(system, "order.(created|paid)"),
    every = events.subscribe(system, "*"),
    none = events.subscribe(system),
  }
  for _, kind in ipairs { "order.created", "order.paid", "order.item.added", "user" } do events.send(system, kind, "p") end
  local heard = {}
  for name, sub in pairs(subs) do
    sub:close()
    heard[name] = 0
    for _ in sub:channel():iter() do heard[name] = heard[name] + 1 end
  end
  assert(heard.exact == 1 and heard.star == 2 and heard.either == 2 and heard.every == 4 and heard.none == 4)
end

-- on: function process
-- modules: events
--- Every subscription that fits hears an event, also two of one unit
function M.every_subscriber_hears()
  local system = own("twice")
  local first, second = events.subscribe(system), events.subscribe("**", "both")
  events.send(system, "both", "p")
  assert(first:channel():receive().path == "p")
  local event
  repeat event = second:channel():receive() until event.system == system
end

-- on: function process
-- modules: events
--- close ends it: nothing more is heard, what waits can be received, again is fine
function M.close()
  local system = own("close")
  local sub = events.subscribe(system)
  events.send(system, "waits", "p")
  assert(sub:close() == true and sub:close() == true)
  events.send(system, "late", "p")
  local event, ok = sub:channel():receive()
  assert(ok and event.kind == "waits")
  event, ok = sub:channel():receive()
  assert(event == nil and ok == false)
end

-- on: function process
-- modules: events
--- 64 events wait; later ones are dropped, and after room was made it goes on
function M.buffer_of_64()
  local system = own("flood")
  local sub = events.subscribe(system)
  for i = 1, 100 do events.send(system, "n", "p", i) end
  for i = 1, 64 do assert(sub:channel():receive().data == i) end
  events.send(system, "n", "p", "on")
  assert(sub:channel():receive().data == "on")
end

-- on: function process
-- modules: events
--- Empty names and patterns that make no sense are Invalid; a wrong type raises
function M.bad_arguments()
  for _, args in ipairs { { "" }, { "a", "" }, { "a.(b" }, { "a*b" } } do
    local sub, err = events.subscribe(args[1], args[2])
    assert(sub == nil and err:kind() == errors.INVALID and err:retryable() == false, args[1])
  end
  for _, args in ipairs { { "", "k", "p" }, { "s", "", "p" }, { "s", "k", "" } } do
    local ok, err = events.send(args[1], args[2], args[3])
    assert(not ok and err:kind() == errors.INVALID)
  end
  assert(not pcall(events.subscribe, 1) and not pcall(events.send, "s", "k"))
end

-- on: function process
-- modules: events
--- Nobody can send to the topic of events, and messages keep their own way
function M.topic_is_reserved()
  local ok, err = process.send(process.pid(), "@events", 1, { system = "forged" })
  assert(not ok and err:kind() == errors.INVALID)
  local sub = events.subscribe(own("apart"))
  assert(process.send(process.pid(), "events", "a message"))
  assert(process.inbox():receive():payload():data() == "a message")
  sub:close()
end

-- on: function process
-- modules: events registry
--- Changes of the registry are told: system registry, kind of the change, path the id
function M.registry_changes()
  local id = "conf.told:entry_" .. process.pid():gsub("[^%w]", "_")
  local sub = events.subscribe("registry", "entry.(create|update|delete)")
  local function publish(change) assert(change(registry.snapshot():changes()):apply()) end
  publish(function(c) return c:create { id = id, kind = "registry.entry" } end)
  publish(function(c) return c:update { id = id, kind = "registry.entry", data = { n = 1 } } end)
  publish(function(c) return c:delete(id) end)
  local kinds = {}
  for event in sub:channel():iter() do
    if event.path == id then kinds[#kinds + 1] = event.kind end
    if #kinds == 3 then break end
  end
  assert(table.concat(kinds, " ") == "entry.create entry.update entry.delete")
  local ok, err = events.send("registry", "entry.delete", id)
  assert(not ok and err:kind() == errors.PERMISSION_DENIED)
end

return M
