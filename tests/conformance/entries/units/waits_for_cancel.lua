-- Says that it waits, and tells the same pid when it is cancelled.
return function(watcher)
  local events = process.events()
  process.send(watcher, "waiting", process.pid())
  local event = events:receive()
  process.send(watcher, "canceled", event.kind, event.type)
  return nil, errors.new { kind = errors.CANCELED, message = "stopped" }
end
