-- Topics with a listener of their own (docs/lua.md#process-messages).
local k = ...
local raw, box, release, give_to_listener = k.raw, k.box, k.release, k.give_to_listener
local type = raw.type

-- Asks: what a wait on a topic asks of people. The host keeps them with the waits, so they are bounded together.
local CALL, MOST = 100, 512 * 1024
local asked = 0

local function is_asked(options)
  return k.is_workflow and k.version > 1 and type(options) == "table" and options.ask ~= nil
end

-- Where spans may stand in tables of an ask, three deep: signals, one of them, its escalation.
local INNER = { signals = true, escalate = true }

-- The table with the texts of Durations, which as objects would not reach the host.
local function spelled(v, depth)
  if type(v) ~= "table" or depth > 3 then return v end
  if k.class_of(v) then return k.class_of(v) == "time.Duration" and k.std.tostring(v) or v end
  local copy, other = {}, false
  for key, value in raw.next, k.reveal(v) do
    local told = value
    if INNER[key] or type(key) == "number" or k.is_object(value) then told = spelled(value, depth + 1) end
    copy[key], other = told, other or not raw.rawequal(told, value)
  end
  return other and copy or v
end

-- {text, size}: the ask as JSON; or nil and an error that names the field.
local function read_ask(ask)
  k.lib.charge_time(CALL)
  local answer, err = k.service("ask.read", spelled(ask, 0))
  if not answer then return nil, err end
  k.lib.charge_time(answer[1])
  if type(answer[2]) ~= "string" then return nil, answer[2] end
  if answer[3] ~= "" then k.log("warn", "process.listen: " .. answer[3]) end
  return { text = answer[2], size = #answer[2] }
end

local function size_of(listener)
  local ask = listener and listener.channel[k.S].ask
  return ask and ask.size or 0
end

-- The ask that a listener shall have; it may have one.
local function fitting_ask(listener, ask)
  local read, err = read_ask(ask)
  if not read then return nil, err end
  if asked - size_of(listener) + read.size <= MOST then return read end
  return nil, k.invalid("process.listen: ask: all asks of a run may have " .. MOST .. " bytes of JSON")
end

local function set_ask(listener, ask)
  asked = asked - size_of(listener) + (ask and ask.size or 0)
  listener.channel[k.S].ask = ask
end

local open

--- The channel of a topic; `ask` of the options is what its waits ask from now on.
function k.listen(topic, options)
  if not is_asked(options) then return open(topic, options).channel end
  local ask, err = fitting_ask(box.topics[topic], options.ask)
  if not ask then return nil, err end
  local listener = open(topic, options)
  set_ask(listener, ask)
  return listener.channel
end

function open(topic, options)
  local listener = box.topics[topic]
  if listener then return listener end
  if k.version > 1 then k.charge(500) end -- with the host's work
  listener = {
    topic = topic,
    channel = k.external(1, "topic", topic),
    as_message = type(options) == "table" and options.message == true,
  }
  box.topics[topic] = listener
  box.listeners[listener.channel] = listener
  release(function(item) return item.topic == topic end, function(item) give_to_listener(listener, item) end)
  return listener
end

function k.unlisten(channel)
  local listener = channel ~= nil and box.listeners[channel]
  if not listener or listener.of_bus then return false, k.invalid("not a listen channel") end
  box.topics[listener.topic] = nil
  set_ask(listener, nil)
  k.retire(channel)
  return true
end

k.std.subscribe, k.std.unsubscribe = k.std.process.listen, k.unlisten
