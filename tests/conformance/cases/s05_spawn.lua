--- 5.2 Spawn
local M = {}

-- on: function process
--- spawn returns a pid; arguments are copied into the body
function M.spawn(env)
  local arg = { list = { 1, 2 } }
  local pid, err = process.spawn("conf.actors:report", env.process_host, process.pid(), arg, "two")
  assert(type(pid) == "string" and err == nil, tostring(err))
  arg.list[1] = 9
  local got = process.listen("report"):receive()
  assert(got.pid == pid and got.id == "conf.actors:report" and got.args[1].list[1] == 1 and got.args[2] == "two")
end

-- on: function process
--- An unknown host is NotFound, host not found; an unknown entry is NotFound
function M.unknown_host_and_entry(env)
  local pid, err = process.spawn("conf.actors:report", "conf:nowhere")
  assert(pid == nil and err:kind() == "NotFound" and string.find(err, "host not found"), tostring(err))
  pid, err = process.spawn("conf.actors:nowhere", env.process_host)
  assert(pid == nil and err:kind() == "NotFound", tostring(err))
  pid, err = process.spawn("conf.actors:nowhere", env.worker)
  assert(pid == nil and err:kind() == "NotFound", tostring(err))
end

--- Missing arguments are Invalid
function M.missing_arguments(env)
  for _, name in ipairs { "spawn", "spawn_monitored", "exec" } do
    for _, args in ipairs { {}, { "" }, { "conf.actors:report" }, { "conf.actors:report", "" } } do
      local pid, err = process[name](table.unpack(args))
      assert(pid == nil and err:kind() == "Invalid", name .. ": " .. tostring(err))
    end
  end
end

-- on: function process
--- A full host: LimitExceeded, not retryable
function M.full_host()
  local pid, err, first
  repeat -- the same case in another kind of unit may hold the only place
    first = first or pid
    pid, err = process.spawn("conf.actors:echo", "conf.actors:small")
  until not pid
  assert(err:kind() == "LimitExceeded" and err:retryable() == false, tostring(err))
  if first then process.terminate(first) end
end

-- on: function process
-- modules: funcs
--- The child inherits the context of its spawner; with_context adds to it
function M.context_is_inherited(env)
  process.with_context({ a = 1, b = 1 }):with_context({ b = 2 }):spawn("conf.actors:context", env.process_host, process.pid())
  local got = process.listen("context"):receive()
  assert(got.a == 1 and got.b == 2)
end

-- on: function process
--- exec spawns, waits and returns value, err
function M.exec(env)
  local value, err = process.exec("conf.actors:sum", env.process_host, 1, 2, 3)
  assert(value == 6 and err == nil)
  value, err = process.exec("conf.actors:sum", env.process_host, "x")
  assert(value == nil and err:kind() == "Internal", tostring(err))
end

--- exec of a workflow on a worker
function M.exec_of_a_workflow(env)
  local value, err = process.exec("conf.actors:sum_workflow", env.worker, 1, 2, 3)
  assert(value == 6 and err == nil, tostring(err))
end

-- on: function process
--- Cancelling a caller of exec cancels the child
function M.cancel_reaches_the_exec_child(env)
  local caller = assert(process.spawn_monitored("conf.actors:executes", env.process_host, "conf.actors:waits", env.process_host, process.pid()))
  local child = process.listen("waiting"):receive()
  assert(child ~= caller)
  assert(process.cancel(caller, "enough"))
  local event = process.events():receive()
  assert(event.from == caller and event.result.value == "canceled", tostring(event.result.error))
end

-- on: function process
--- Cancelling a workflow that executes a child cancels the child
function M.cancel_reaches_the_child_workflow(env)
  local caller = assert(process.spawn_monitored("conf.actors:executes_workflow", env.worker, "conf.actors:waits_workflow", env.worker, process.pid()))
  process.listen("waiting"):receive()
  assert(process.cancel(caller, "enough"))
  local event = process.events():receive()
  assert(event.from == caller and event.result.value == "canceled", tostring(event.result.error))
end

--- A spawner is never changed: each step returns a new one
function M.spawner_is_immutable()
  local first = process.with_context({ a = 1 })
  local second = first:with_context({ b = 2 })
  assert(first ~= second and type(first) == "userdata")
  assert(first:with_options({}) ~= first and first:with_name("x") ~= first and first:with_message("t") ~= first)
end

--- Misuse of a spawner raises
function M.spawner_misuse()
  for _, wrong in ipairs { "text", 7, true } do
    assert(not pcall(process.with_context, wrong) and not pcall(process.with_options, wrong))
  end
  assert(not pcall(process.with_context) and not pcall(process.with_options))
  local s = process.with_options({})
  assert(not pcall(s.with_name, s, "") and not pcall(s.with_name, s, 7))
  assert(not pcall(s.with_message, s) and not pcall(s.with_message, s, "") and not pcall(s.with_message, s, "@x"))
  assert(not pcall(s.with_context, s, "x") and not pcall(s.spawn))
end

-- on: function process
--- with_message: startup messages come first, in order, from the spawner
function M.startup_messages(env)
  local pid = assert(process.with_options({}):with_message("ask", 1):with_message("ask", 2)
    :spawn("conf.actors:echo", env.process_host))
  process.send(pid, "ask", 3)
  local answers = process.listen("answer")
  for i = 1, 3 do
    local got = answers:receive()
    assert(got.first == i and got.from == process.pid())
  end
end

-- on: function process
--- with_name registers the name; taken by a living process, that one is used and gets the messages, sender empty
function M.with_name(env)
  local name = "conf5 with_name " .. env.kind
  local named = process.with_options({}):with_name(name)
  local pid = assert(named:spawn("conf.actors:keeper", env.process_host, process.pid()))
  assert(process.registry.lookup(name) == pid)
  assert(named:with_message("kept", 7):spawn("conf.actors:keeper", env.process_host, process.pid()) == pid)
  local got = process.listen("kept"):receive()
  assert(got.value == 7 and got.from == "", "from " .. got.from)
end

-- on: function process
--- A name is free again when its owner has ended
function M.name_is_free_again(env)
  local name = "conf5 free again " .. env.kind
  local named = process.with_options({}):with_name(name)
  local pid = assert(named:spawn_monitored("conf.actors:echo", env.process_host))
  process.terminate(pid)
  process.events():receive()
  local other = assert(named:spawn("conf.actors:echo", env.process_host))
  assert(other ~= pid)
end

-- on: function process
--- Unknown options of a local spawn are ignored
function M.unknown_options(env)
  assert(process.with_options({ colour = "blue", ["workflow.id"] = "x" }):exec("conf.actors:sum", env.process_host, 1) == 1)
end

-- on: function process
--- exec and the spawn variants exist on a spawner
function M.spawner_variants(env)
  local s = process.with_options({})
  assert(s:exec("conf.actors:sum", env.process_host, 2) == 2)
  local pid = assert(s:spawn_monitored("conf.actors:sum", env.process_host, 3))
  local event = process.events():receive()
  assert(event.from == pid and event.result.value == 3)
  process.set_options({ trap_links = true })
  local linked = assert(s:spawn_linked("conf.actors:echo", env.process_host))
  process.terminate(linked)
  event = process.events():receive()
  assert(event.kind == process.event.LINK_DOWN and event.from == linked)
  local both = assert(s:spawn_linked_monitored("conf.actors:echo", env.process_host))
  process.terminate(both)
  local kinds = {}
  for _ = 1, 2 do kinds[process.events():receive().kind] = true end
  assert(kinds["pid.exit"] and kinds["pid.link.down"])
end

return M
