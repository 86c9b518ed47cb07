--- 14 What differs inside a workflow
local M = {}

-- on: workflow
--- monitor, unmonitor, link and unlink are refused: Invalid, not retryable, not supported in workflow context
function M.refused_controls(env)
  local pid = assert(process.spawn("conf.actors:waits_for_go", env.worker))
  for _, name in ipairs { "monitor", "unmonitor", "link", "unlink" } do
    local ok, err = process[name](pid)
    assert(ok == nil and err:kind() == "Invalid" and err:retryable() == false, name)
    assert(string.find(err, "not supported in workflow context", 1, true), tostring(err))
  end
  local _, err = process.monitor(pid)
  assert(string.find(err, "child workflows are automatically monitored", 1, true))
  _, err = process.link(pid)
  assert(string.find(err, "Temporal doesn't support bidirectional linking", 1, true))
end

-- on: workflow
--- Linked spawns are refused, also of a spawner
function M.refused_spawns(env)
  local spawner = process.with_options({})
  for _, name in ipairs { "spawn_linked", "spawn_linked_monitored" } do
    for _, act in ipairs { process[name], function(...) return spawner[name](spawner, ...) end } do
      local pid, err = act("conf.actors:sum_workflow", env.worker)
      assert(pid == nil and err:kind() == "Invalid" and err:retryable() == false)
      assert(string.find(err, "not supported in workflow context", 1, true), tostring(err))
    end
  end
end

-- on: workflow
--- set_options{trap_links} is accepted
function M.trap_links_is_accepted()
  assert(process.set_options({ trap_links = true }) == true and process.get_options().trap_links == true)
end

-- on: workflow
-- modules: time
--- The clock stands still within a step and moves with timers
function M.clock()
  local first = time.now()
  for _ = 1, 10000 do end
  assert(time.now() == first)
  time.sleep("20ms")
  assert(time.now():sub(first):milliseconds() >= 20)
end

-- on: workflow
--- math.random is seeded by the run
function M.random()
  local list = {}
  for i = 1, 5 do list[i] = math.random(1000000) end
  assert(#list == 5 and math.random() < 1)
end

-- on: workflow
--- A table with keys that have no order can't be iterated
function M.unordered_keys()
  assert(not pcall(function() for _ in pairs({ [{}] = 1 }) do end end))
  assert(not pcall(next, { [print] = 1 }))
end

-- on: workflow
-- modules: funcs
--- funcs.call is an activity: it runs as a function of its own, with a function's pid
function M.calls_are_activities()
  local got = assert(funcs.call("conf.units:callee_process", 1))
  assert(got.pid ~= process.pid() and got.args[1] == 1)
end

-- on: workflow
-- modules: funcs
--- A workflow talks to a local process: it sends, and the process answers
function M.send_to_a_local_process(env)
  local echo = assert(funcs.call("conf.calls:spawn", "conf.actors:echo", env.process_host))
  assert(process.send(echo, "ask", "hello"))
  local answer = process.listen("answer"):receive()
  assert(answer.first == "hello" and answer.from == process.pid(), tostring(answer.from))
  assert(process.terminate(echo))
end

-- on: workflow
--- cancel and terminate of another workflow both request its cancel
function M.cancel_and_terminate(env)
  for _, act in ipairs { process.cancel, process.terminate } do
    local pid = assert(process.spawn("conf.actors:waits_workflow", env.worker, process.pid()))
    process.listen("waiting"):receive()
    assert(act(pid) == true)
    local event = process.events():receive()
    assert(event.from == pid and event.result.value == "canceled", tostring(event.result.error))
  end
end

-- on: workflow
--- A signal to a workflow that does not run is NotFound, not retryable
function M.signal_to_the_missing(env)
  local ok, err = process.send("{conf:client@" .. env.worker .. "|nobody}", "t")
  assert(not ok and err:kind() == "NotFound" and err:retryable() == false)
end

-- on: workflow
-- modules: logger
--- logger and print work
function M.logging()
  logger:info("from a workflow", { n = 1 })
  print("from", "a workflow")
end

-- on: workflow
--- A process can't be spawned on a process host from a workflow: Invalid
function M.no_local_children(env)
  local pid, err = process.spawn("conf.actors:echo", env.process_host)
  assert(pid == nil and err:kind() == "Invalid" and string.find(err, "not supported in workflow context"), tostring(err))
end

return M
