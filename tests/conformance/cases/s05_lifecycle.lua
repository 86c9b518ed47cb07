--- 5.3 Lifecycle control
local M = {}

local function echo(env) return assert(process.spawn("conf.actors:echo", env.process_host)) end

-- on: function process
--- cancel delivers a CANCEL event with who asked and why; the target decides
function M.cancel(env)
  local pid = assert(process.spawn_monitored("conf.actors:tells_cancel", env.process_host))
  assert(process.cancel(pid, "enough") == true)
  local event = process.events():receive()
  local got = event.result.value
  assert(got.kind == "pid.cancel" and got.type == "CANCEL" and got.reason == "enough")
  assert(got.from == process.pid() and got.pid == process.pid() and math.type(got.at) ~= nil)
end

-- on: function process
--- terminate kills now: EXIT with the error `process terminated`
function M.terminate(env)
  local pid = assert(process.spawn_monitored("conf.actors:echo", env.process_host))
  assert(process.terminate(pid) == true)
  local event = process.events():receive()
  assert(event.kind == "pid.exit" and event.from == pid)
  assert(string.find(event.result.error, "process terminated") and event.result.value == nil)
end

-- on: function process
--- cancel and terminate of what is gone: NotFound
function M.control_of_the_gone(env)
  local gone = "{" .. env.process_host .. "|0x12345}"
  for _, name in ipairs { "cancel", "terminate", "link" } do
    local ok, err = process[name](gone)
    assert(not ok and err:kind() == "NotFound", name .. ": " .. tostring(err))
  end
end

-- on: function process
--- monitor: true; gone: NotFound pid not registered; twice: AlreadyExists already monitoring pid
function M.monitor(env)
  local pid = echo(env)
  assert(process.monitor(pid) == true)
  local ok, err = process.monitor(pid)
  assert(not ok and err:kind() == "AlreadyExists" and string.find(err, "already monitoring pid"), tostring(err))
  process.terminate(pid)
  assert(process.events():receive().from == pid)
  ok, err = process.monitor(pid)
  assert(not ok and err:kind() == "NotFound" and string.find(err, "pid not registered"), tostring(err))
end

-- on: function process
--- After unmonitor no EXIT comes
function M.unmonitor(env)
  local first, second = echo(env), echo(env)
  assert(process.monitor(first) and process.monitor(second))
  assert(process.unmonitor(first) == true)
  process.terminate(first)
  process.terminate(second)
  assert(process.events():receive().from == second, "the EXIT of the first came")
end

--- get_options and set_options: trap_links and upgradable
function M.options()
  local options = process.get_options()
  assert(options.trap_links == false and options.upgradable == false)
  local ok, err = process.set_options({ trap_links = true, upgradable = true })
  assert(ok == true and err == nil)
  assert(process.get_options().trap_links == true and process.get_options().upgradable == true)
  assert(process.set_options({ trap_links = false }) == true)
  assert(process.get_options().trap_links == false and process.get_options().upgradable == true)
end

--- set_options: false and Invalid for an unknown key, a non-boolean, no table
function M.bad_options()
  local ok, err = process.set_options({ trap_exits = true })
  assert(ok == false and err:kind() == "Invalid" and string.find(err, "option trap_exits is not supported"))
  for _, wrong in ipairs { { trap_links = "yes" }, { trap_links = 1 }, "text", 7, true } do
    ok, err = process.set_options(wrong)
    assert(ok == false and err:kind() == "Invalid", tostring(wrong))
  end
  ok, err = process.set_options()
  assert(ok == false and err:kind() == "Invalid")
  assert(process.get_options().trap_links == false, "nothing of a refused table is taken over")
end

-- on: function process
--- A linked peer that fails kills the other: linked process failed
function M.link_kills(env)
  local pid = assert(process.spawn_monitored("conf.actors:links_and_waits", env.process_host, "conf.actors:fails_when_told"))
  local child = process.listen("child")
  process.send(pid, "who", process.pid())
  process.send(child:receive(), "fail")
  local event = process.events():receive()
  assert(event.from == pid and string.find(event.result.error, "linked process failed"), tostring(event.result.error))
end

-- on: function process
--- A linked peer that ends normally raises nothing
function M.normal_end_of_a_link(env)
  process.set_options({ trap_links = true })
  local ends = assert(process.spawn_linked("conf.actors:sum", env.process_host, 1))
  local fails = assert(process.spawn_linked("conf.actors:fails_when_told", env.process_host))
  process.send(fails, "fail")
  local event = process.events():receive()
  assert(event.from == fails and event.kind == "pid.link.down" and event.type == "LINK_DOWN")
  assert(ends and string.find(event.result.error, "told to fail"), tostring(event.result.error))
end

-- on: function process
--- With trap_links a terminated peer is a LINK_DOWN event
function M.trap_links(env)
  process.set_options({ trap_links = true })
  local pid = echo(env)
  assert(process.link(pid) == true and process.link(pid) == true, "linking twice is fine")
  process.terminate(pid)
  local event = process.events():receive()
  assert(event.kind == process.event.LINK_DOWN and event.from == pid and event.pid == pid)
end

-- on: function process
--- unlink ends a link
function M.unlink(env)
  process.set_options({ trap_links = true })
  local first, second = echo(env), echo(env)
  process.link(first)
  process.link(second)
  assert(process.unlink(first) == true)
  process.terminate(first)
  process.terminate(second)
  assert(process.events():receive().from == second)
end

-- on: function process
--- Links are symmetric: the death of the parent kills the child, and of the child the parent
function M.links_are_symmetric(env)
  local parent = assert(process.spawn("conf.actors:links_and_waits", env.process_host, "conf.actors:echo"))
  process.send(parent, "who", process.pid())
  local child = process.listen("child"):receive()
  assert(process.monitor(child))
  process.terminate(parent)
  local event = process.events():receive()
  assert(event.from == child and string.find(event.result.error, "linked process failed"), tostring(event.result.error))
end

-- on: function process
--- Unlinked children survive their parent
function M.unlinked_children_survive(env)
  local parent = assert(process.spawn_monitored("conf.actors:spawns_and_ends", env.process_host, "conf.actors:echo"))
  local event = process.events():receive()
  assert(event.from == parent)
  local child = event.result.value
  assert(process.send(child, "ask", 1))
  assert(process.listen("answer"):receive().pid == child)
  process.terminate(child)
end

-- on: function process
--- upgrade replaces the body and keeps pid, mailbox, names, monitors and links
function M.upgrade(env)
  local name = "conf5 upgrade " .. env.kind
  local pid = assert(process.with_options({}):with_name(name):spawn_monitored("conf.actors:upgrades", env.process_host))
  process.send(pid, "unread", 1)
  process.send(pid, "go", "conf.actors:upgraded", "an argument")
  local event = process.events():receive()
  local got = event.result.value
  assert(event.from == pid and got.pid == pid and got.id == "conf.actors:upgraded", tostring(event.result.error))
  assert(got.argument == "an argument" and got.unread == 1 and got.name == pid)
end

-- on: function process
--- upgrade(nil) runs the same entry anew
function M.upgrade_to_itself(env)
  local pid = assert(process.spawn_monitored("conf.actors:counts_down", env.process_host, 3))
  local event = process.events():receive()
  assert(event.from == pid and event.result.value == "landed", tostring(event.result.error))
end

-- on: workflow
--- A workflow continues as new, keeps its pid and its unread messages
function M.upgrade_of_a_workflow(env)
  local value, err = process.with_options({}):with_message("unread", 1)
    :exec("conf.actors:upgrades_workflow", env.worker, process.pid())
  assert(err == nil and value.argument == "an argument" and value.unread == 1 and value.same_pid, tostring(err))
end

return M
