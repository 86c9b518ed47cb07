--- 5.5 Name registry
local M = {}

local function name_of(env, text) return "conf5 " .. text .. " " .. env.kind end

-- on: function process
--- register the own pid, look it up, unregister it
function M.register_and_lookup(env)
  local name = name_of(env, "mine")
  assert(process.registry.register(name) == true)
  assert(process.registry.lookup(name) == process.pid())
  assert(process.registry.register(name) == true, "the same pid is idempotent")
  assert(process.registry.unregister(name) == true)
  assert(process.registry.unregister(name) == false)
  local pid, err = process.registry.lookup(name)
  assert(pid == nil and err:kind() == "NotFound" and string.find(err, "name not registered"), tostring(err))
end

-- on: function process
--- A name that another pid holds: AlreadyExists
function M.taken_name(env)
  local name = name_of(env, "taken")
  local other = assert(process.spawn("conf.actors:echo", env.process_host))
  assert(process.registry.register(name, other) == true)
  local ok, err = process.registry.register(name)
  assert(not ok and err:kind() == "AlreadyExists", tostring(err))
  assert(process.registry.lookup(name) == other)
  process.terminate(other)
end

-- on: function process
--- An empty name is Invalid
function M.empty_name()
  local ok, err = process.registry.register("")
  assert(not ok and err:kind() == "Invalid")
  ok, err = process.registry.lookup("")
  assert(not ok and err:kind() == "Invalid")
  assert(not process.registry.unregister(""))
end

-- on: function process
--- Names vanish when the owner ends
function M.names_end_with_their_owner(env)
  local name = name_of(env, "vanishing")
  local pid = assert(process.spawn_monitored("conf.actors:echo", env.process_host))
  assert(process.registry.register(name, pid))
  process.terminate(pid)
  process.events():receive()
  assert(process.registry.lookup(name) == nil)
  assert(process.registry.register(name) == true)
end

-- on: function process
--- Scopes are accepted and mean this node
function M.scopes(env)
  local r = process.registry
  assert(r.LOCAL == 0 and r.EVENTUAL == 1 and r.CONSISTENT == 2 and r.STRONG == 3)
  local name = name_of(env, "scoped")
  assert(r.register(name, process.pid(), r.STRONG) == true and r.lookup(name) == process.pid())
  assert(r.unregister(name, r.STRONG) == true)
end

-- on: function process
--- Names can be sent to, monitored and cancelled
function M.names_stand_for_pids(env)
  local name = name_of(env, "standing")
  local pid = assert(process.with_options({}):with_name(name):spawn("conf.actors:tells_cancel", env.process_host))
  assert(process.monitor(name) == true)
  assert(process.cancel(name, "by name") == true)
  local event = process.events():receive()
  assert(event.from == pid and event.result.value.reason == "by name")
end

return M
