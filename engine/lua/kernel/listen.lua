-- Topics with a listener of their own (docs/lua.md#process-messages).
local k = ...
local raw, box, release, give_to_listener = k.raw, k.box, k.release, k.give_to_listener
local type = raw.type

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
    if listener.channel == channel and not listener.of_bus then
      raw.table.remove(box.order, i)
      box.topics[listener.topic] = nil
      k.close_channel(channel)
      return true
    end
  end
  return false, k.invalid("not a listen channel")
end

k.std.subscribe, k.std.unsubscribe = k.std.process.listen, k.unlisten
