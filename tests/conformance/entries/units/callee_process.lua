return function(...)
  if (...) == "wait" then
    local _, watcher = ...
    process.send(watcher, "waiting", process.pid())
    local event = process.events():receive()
    process.send(watcher, "canceled", event.type)
    return nil, "stopped"
  end
  return { id = process.id(), pid = process.pid(), args = { ... } }
end
