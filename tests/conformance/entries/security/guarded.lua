local funcs = require("funcs")
local security = require("security")

local actions = {}

-- Runs one guarded operation by its name, for callers that choose actor and scope.
local function main(name, ...)
  local ok, value, err = pcall(actions[name], ...)
  if not ok then return { raised = true, kind = value:kind(), message = value:message(), retryable = value:retryable() } end
  if err then return { kind = err:kind(), message = err:message(), retryable = err:retryable() } end
  return { value = value }
end

function actions.call(id) return funcs.call(id) end
function actions.async(id)
  local future, err = funcs.async(id)
  return future ~= nil, err
end
function actions.executor_context()
  local executor, err = funcs.new():with_context({ a = 1 })
  return executor ~= nil, err
end
function actions.executor_actor()
  local executor, err = funcs.new():with_actor(security.actor())
  return executor ~= nil, err
end
function actions.executor_scope()
  local executor, err = funcs.new():with_scope(security.scope())
  return executor ~= nil, err
end
function actions.spawn(id, host) return process.spawn(id, host) end
function actions.spawn_monitored(id, host) return process.spawn_monitored(id, host) end
function actions.spawn_linked(id, host) return process.spawn_linked(id, host) end
function actions.exec(id, host) return process.exec(id, host) end
function actions.send(dest) return process.send(dest, "hello") end
function actions.cancel(dest) return process.cancel(dest) end
function actions.terminate(dest) return process.terminate(dest) end
function actions.monitor(dest) return process.monitor(dest) end
function actions.unmonitor(dest) return process.unmonitor(dest) end
function actions.link(dest) return process.link(dest) end
function actions.unlink(dest) return process.unlink(dest) end
function actions.register(name, pid) return process.registry.register(name, pid) end
function actions.unregister(name) return process.registry.unregister(name) end
function actions.spawner_context()
  process.with_context({ a = 1 })
  return true
end
function actions.spawner_options()
  process.with_options({})
  return true
end
function actions.spawner_actor()
  process.with_options({}):with_actor(security.actor())
  return true
end
function actions.spawner_scope()
  process.with_options({}):with_scope(security.scope())
  return true
end
function actions.new_actor(id) return security.new_actor(id):id() end
function actions.new_scope()
  security.new_scope()
  return true
end
function actions.scope_with() return security.scope():with(security.scope():policies()[1]):contains("x") end
function actions.scope_without() return security.scope():without("x"):contains("x") end
function actions.policy(id)
  local policy, err = security.policy(id)
  return policy and policy:id(), err
end
function actions.named_scope(id)
  local scope, err = security.named_scope(id)
  return scope ~= nil, err
end
function actions.token_store(id)
  local store, err = security.token_store(id)
  return store ~= nil, err
end
function actions.can(action, resource, meta) return security.can(action, resource, meta) end

return { main = main }
