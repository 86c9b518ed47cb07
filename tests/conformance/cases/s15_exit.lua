--- 15.4 Exit, cancel, terminate, upgrade
local M = {}

local function next_exit(pid)
  while true do
    local event = process.events():receive()
    if event.kind == process.event.EXIT and event.from == pid then return event end
  end
end

--- EXIT of a spawned workflow has its value
function M.exit_value(env)
  local pid = assert(process.spawn_monitored("conf.temporal:echo", env.worker, 7))
  local event = next_exit(pid)
  assert(event.type == "EXIT" and event.pid == pid and event.result.value[1] == 7 and event.result.error == nil)
end

--- EXIT of a workflow that fails has its error, with kind, retryable and details
function M.exit_error(env)
  local pid = assert(process.spawn_monitored("conf.temporal:fails", env.worker, "RateLimited", true))
  local err = next_exit(pid).result.error
  assert(err:kind() == "RateLimited" and err:retryable() == true and err:message() == "failed as told")
  assert(err:details().code == 7)
end

--- A workflow that raises fails with Internal and its text
function M.exit_raised(env)
  local value, err = process.exec("conf.temporal:raises", env.worker)
  assert(value == nil and err:kind() == errors.INTERNAL and err:retryable() == false)
  assert(string.find(err, "raised as told", 1, true))
end

--- cancel() is an event with its reason; a normal return is a value
function M.cancel(env)
  local pid = assert(process.spawn_monitored("conf.temporal:patient", env.worker))
  assert(process.cancel(pid, "changed my mind") == true)
  local value = next_exit(pid).result.value
  assert(value.type == "CANCEL" and value.kind == process.event.CANCEL and value.reason == "changed my mind", value.reason)
end

--- A workflow that gives up with Canceled ends with Canceled
function M.cancel_given_in_to(env)
  local pid = assert(process.spawn_monitored("conf.temporal:stops", env.worker))
  assert(process.cancel(pid))
  local err = next_exit(pid).result.error
  assert(err:kind() == errors.CANCELED and err:retryable() == false)
end

-- on: function process
--- terminate() from outside ends it at once, as Canceled
function M.terminate(env)
  local pid = assert(process.spawn_monitored("conf.temporal:patient", env.worker))
  assert(process.terminate(pid) == true)
  local err = next_exit(pid).result.error
  assert(err:kind() == errors.CANCELED and err:message() == "workflow terminated" and err:retryable() == false)
end

-- on: function process
--- What has ended can't be signalled or terminated: NotFound
function M.after_the_end(env)
  local pid = assert(process.spawn_monitored("conf.temporal:echo", env.worker))
  next_exit(pid)
  for _, verb in ipairs { "send", "terminate" } do
    local value, err = process[verb](pid, "topic")
    assert(value == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false, verb)
  end
end

--- upgrade() goes on under the same pid, with context and the messages that were not read
function M.upgrade(env)
  local pid = assert(process.with_context({ user = "ann" }):with_message("n", 1):with_message("n", 2)
    :spawn_monitored("conf.temporal:climbs", env.worker, 0))
  local value = next_exit(pid).result.value
  assert(value.times == 3 and value.user == "ann" and value.pid == pid)
  assert(value.got[1] == 1 and value.got[2] == 2)
end

return M
