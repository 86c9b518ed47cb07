-- A function call is an actor: spawns, monitors, listens, is sent to.
return function(host)
  local got = {}
  local pid = assert(process.spawn_monitored("conf.units:tally", host))
  local answers = process.listen("count")
  assert(process.send(pid, "hello"))
  got.count = answers:receive()
  assert(process.send(pid, "stop"))
  local event = process.events():receive()
  got.exit = event.result.value
  local done = channel.new()
  coroutine.spawn(function() done:send("from a task") end)
  got.task = done:receive()
  got.id, got.pid = process.id(), process.pid()
  return got
end
