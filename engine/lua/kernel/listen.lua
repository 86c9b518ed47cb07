-- Topics with a listener of their own (docs/lua.md#process-messages).
local k = ...
local raw, box, release, give_to_listener = k.raw, k.box, k.release, k.give_to_listener
local type = raw.type

function k.listen(topic, options)
  local listener = box.topics[topic]
  if listener then return listener.channel end
  if k.version > 1 then k.charge(500) end -- with the host's work
  listener = {
    topic = topic,
    channel = k.external(1, "topic", topic),
    as_message = type(options) == "table" and options.message == true,
  }
  box.topics[topic] = listener
  box.listeners[listener.channel] = listener
  release(function(item) return item.topic == topic end, function(item) give_to_listener(listener, item) end)
  return listener.channel
end

function k.unlisten(channel)
  local listener = channel ~= nil and box.listeners[channel]
  if not listener or listener.of_bus then return false, k.invalid("not a listen channel") end
  box.topics[listener.topic] = nil
  k.retire(channel)
  return true
end

k.std.subscribe, k.std.unsubscribe = k.std.process.listen, k.unlisten
