--- 5.4 Events
local M = {}

--- The constants of process.event
function M.constants()
  assert(process.event.EXIT == "pid.exit" and process.event.LINK_DOWN == "pid.link.down")
  assert(process.event.CANCEL == "pid.cancel" and process.event.OUTDATED == "pid.outdated")
end

-- on: function process
--- EXIT: kind, type, from, pid, at, result.value; event.error is nil
function M.exit_of_a_success(env)
  local pid = assert(process.spawn_monitored("conf.actors:sum", env.process_host, 4))
  local event = process.events():receive()
  assert(type(event) == "table" and event.kind == "pid.exit" and event.type == "EXIT")
  assert(event.from == pid and event.pid == pid and event.at ~= nil)
  assert(event.result.value == 4 and event.result.error == nil and event.error == nil and event.value == nil)
end

-- on: function process
--- EXIT of a failure: result.error is an error object, result.value is nil
function M.exit_of_a_failure(env)
  local pid = assert(process.spawn_monitored("conf.units:results.process", env.process_host, "object_error", 1))
  local event = process.events():receive()
  assert(event.from == pid and event.result.value == nil)
  local err = event.result.error
  assert(err:kind() == "Conflict" and err:message() == "no stock" and err:retryable() == true and err:details().sku == "lamp")
end

-- on: function process
-- modules: time
--- Events queue until events() is called first
function M.events_queue(env)
  local pid = assert(process.spawn_monitored("conf.actors:sum", env.process_host, 4))
  time.sleep("50ms")
  assert(process.events():receive().from == pid)
end

-- on: function process
--- for event in process.events():iter()
function M.iter(env)
  local pids = {}
  for i = 1, 3 do pids[assert(process.spawn_monitored("conf.actors:sum", env.process_host, i))] = i end
  local left = 3
  for event in process.events():iter() do
    assert(event.result.value == pids[event.from])
    left = left - 1
    if left == 0 then break end
  end
  assert(left == 0)
end

-- on: function process
--- Plain spawn of a process is unmonitored: no EXIT
function M.plain_spawn_is_silent(env)
  assert(process.spawn("conf.actors:sum", env.process_host, 1))
  local pid = assert(process.spawn_monitored("conf.actors:sum", env.process_host, 2))
  assert(process.events():receive().from == pid)
end

-- on: function process
--- Plain spawn of a workflow by a local process is watched: one EXIT
function M.plain_spawn_of_a_workflow(env)
  local pid = assert(process.spawn("conf.actors:sum_workflow", env.worker, 5))
  local event = process.events():receive()
  assert(event.from == pid and event.kind == "pid.exit" and event.result.value == 5)
end

-- on: function process
-- modules: time
--- monitor on a watched workflow returns true and still yields exactly one EXIT
function M.monitor_of_a_watched_workflow(env)
  local pid = assert(process.spawn("conf.actors:waits_for_go", env.worker))
  assert(process.monitor(pid) == true)
  process.send(pid, "go", 1)
  local events = process.events()
  assert(events:receive().from == pid)
  local got = channel.select { events:case_receive(), time.after("400ms"):case_receive() }
  assert(got.channel ~= events, "a second EXIT came")
end

-- on: function process
-- modules: time
--- unmonitor removes the watch of a spawned workflow too
function M.unmonitor_of_a_watched_workflow(env)
  local pid = assert(process.spawn("conf.actors:waits_for_go", env.worker))
  assert(process.unmonitor(pid) == true)
  local other = assert(process.spawn("conf.actors:waits_for_go", env.worker))
  process.send(pid, "go", 1)
  process.send(other, "go", 2)
  local events = process.events()
  assert(events:receive().from == other, "the EXIT of an unmonitored workflow came")
  local got = channel.select { events:case_receive(), time.after("300ms"):case_receive() }
  assert(got.channel ~= events, "the EXIT of an unmonitored workflow came")
end

-- on: function process
-- modules: time
--- Linking a workflow delivers EXIT on its normal end
function M.link_of_a_workflow(env)
  process.set_options({ trap_links = true })
  local pid = assert(process.spawn_linked("conf.actors:waits_for_go", env.worker))
  process.send(pid, "go", 3)
  local event = process.events():receive()
  assert(event.from == pid and event.kind == "pid.exit" and event.result.value == 3, event.kind)
end

-- on: workflow
--- In a workflow a spawned child is monitored: EXIT with its result, from = the pid that spawn returned
function M.exit_of_a_child(env)
  local pid = assert(process.spawn("conf.actors:sum_workflow", env.worker, 6))
  local event = process.events():receive()
  assert(event.kind == "pid.exit" and event.type == "EXIT" and event.from == pid and event.pid == pid)
  assert(event.result.value == 6 and event.result.error == nil and event.error == nil)
end

return M
