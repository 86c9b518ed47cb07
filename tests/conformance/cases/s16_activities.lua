--- 16 Activities
local M = {}

-- Runs `call` with the pid of a process that counts what the function `tries` asks, and returns its value, its error,
-- and the attempts. A process, since a workflow hears nothing while a local activity runs, until its task is renewed.
local function counted(env, call)
  local tally = assert(funcs.call("conf.calls:spawn", "conf.temporal:tally", env.process_host))
  local value, err = call(tally)
  local counts = process.listen("count")
  process.send(tally, "over", process.pid())
  return value, err, counts:receive()
end

-- on: workflow
-- modules: funcs
--- Any function of the registry can be called; it is an activity with its own pid
function M.any_function()
  local told = assert(funcs.call("conf.temporal:answer", "x", 2, nil))
  assert(told.first == "x" and told.id == "conf.temporal:answer" and told.pid ~= process.pid())
  assert(funcs.call("conf.temporal:routed", 1).first == 1, "the worker of its meta")
  assert(funcs.call("conf.temporal:nearby", 1).first == 1, "a local activity")
end

-- on: workflow
-- modules: funcs
--- A process that has a default host can be called
function M.process_activity()
  assert(funcs.call("conf.temporal:job", 21) == 42)
end

-- on: workflow
-- modules: funcs
--- A process that is an activity by its meta needs no default host
function M.process_activity_by_meta()
  assert(funcs.call("conf.temporal:chore", 21) == 42)
end

-- on: workflow
-- modules: funcs
--- Futures are as elsewhere: one value, then closed
function M.futures()
  local future = assert(funcs.async("conf.temporal:answer", 5))
  local payload, ok = future:response():receive()
  assert(ok and payload:data().first == 5)
  payload, ok = future:channel():receive()
  assert(payload == nil and ok == false and future:is_complete() and not future:is_canceled())
  local failing = assert(funcs.async("conf.temporal:fail", "Conflict", false))
  local err = failing:channel():receive()
  assert(err:kind() == "Conflict" and failing:result() == nil)
end

-- on: workflow
-- modules: funcs
--- retry_policy bounds the attempts, local activities included
function M.retry_policy(env)
  for _, name in ipairs { "tries", "tries_nearby" } do
    local options = { ["activity.retry_policy"] = { maximum_attempts = 3, initial_interval = 10, backoff_coefficient = 1 } }
    local executor = funcs.new():with_options(options)
    local value, err, attempts = counted(env, function(tally) return executor:call("conf.temporal:" .. name, tally, 3) end)
    assert(err == nil and value == 3 and attempts == 3, name)
    value, err, attempts = counted(env, function(tally) return executor:call("conf.temporal:" .. name, tally, 9) end)
    assert(value == nil and err:message() == "attempt 3" and attempts == 3, name)
  end
end

-- on: workflow
-- modules: funcs
--- meta.options are defaults; the caller's options win
function M.options_of_meta(env)
  local value, _, attempts = counted(env, function(tally) return funcs.call("conf.temporal:tries_by_meta", tally, 3) end)
  assert(value == 3 and attempts == 3)
  local once = funcs.new():with_options { ["temporal.activity.retry_policy"] = { maximumAttempts = 1 } }
  local _, err, tried = counted(env, function(tally) return once:call("conf.temporal:tries_by_meta", tally, 3) end)
  assert(err:message() == "attempt 1" and tried == 1)
end

-- on: workflow
-- modules: funcs
--- Kinds in non_retryable_error_types, and errors that are not retryable, are not tried again
function M.not_retried(env)
  local policy = { maximum_attempts = 5, initial_interval = 10, non_retryable_error_types = { "Conflict" } }
  local executor = funcs.new():with_options { ["activity.retry_policy"] = policy }
  local _, err, attempts = counted(env, function(tally) return executor:call("conf.temporal:tries", tally, 9, "Conflict") end)
  assert(err:kind() == "Conflict" and attempts == 1)
end

-- on: workflow
-- modules: funcs
--- An activity that takes longer than its timeout is a Timeout that says which
function M.timeouts()
  for _, name in ipairs { "linger", "linger_nearby" } do
    local options = { ["activity.start_to_close_timeout"] = 200, ["activity.retry_policy"] = { maximum_attempts = 1 } }
    local value, err = funcs.new():with_options(options):call("conf.temporal:" .. name, "20s")
    assert(value == nil and err:kind() == errors.TIMEOUT and err:retryable() == false, name)
    assert(err:details().timeout_type == "start_to_close", name)
  end
  local nobody = { ["activity.task_queue"] = "conf-nobody", ["activity.schedule_to_start_timeout"] = "100ms" }
  local _, err = funcs.new():with_options(nobody):call("conf.temporal:answer")
  assert(err:kind() == errors.TIMEOUT and err:details().timeout_type == "schedule_to_start")
  local short = { ["activity.schedule_to_close_timeout"] = "200ms" }
  _, err = funcs.new():with_options(short):call("conf.temporal:linger", "20s")
  assert(err:kind() == errors.TIMEOUT)
end

-- on: workflow
-- modules: funcs time
--- cancel() of a future closes its channel at once; the activity sees CANCEL
function M.cancel()
  local began, ended = process.listen("began"), process.listen("ended")
  local options = { ["activity.heartbeat_timeout"] = "1s", ["activity.wait_for_cancellation"] = true }
  local future = assert(funcs.new():with_options(options):async("conf.temporal:until_canceled", process.pid()))
  began:receive()
  assert(future:cancel() == true)
  local value, ok = future:channel():receive()
  assert(value == nil and ok == false and future:is_canceled())
  local _, err = future:result()
  assert(err:kind() == errors.CANCELED)
  assert(ended:receive() == "CANCEL")
end

-- on: workflow
-- modules: funcs
--- An activity that nobody has is NotFound and retryable, once its attempts are used up
function M.missing()
  local once = funcs.new():with_options { ["activity.retry_policy"] = { maximum_attempts = 1 } }
  local value, err = once:call("conf.temporal:nothing")
  assert(value == nil and err:kind() == errors.NOT_FOUND and err:retryable() == true)
end

-- on: workflow
-- modules: funcs
--- Options that are bad are Invalid before anything starts
function M.bad_options()
  local bad = {
    start_to_close_timeout = "soon", heartbeat_timeout = {}, retry_policy = 3, priority = "high", summary = 5,
    wait_for_cancellation = "yes", task_queue = 7, id = {},
  }
  for name, value in pairs(bad) do
    for _, prefix in ipairs { "activity.", "temporal.activity." } do
      local result, err = funcs.new():with_options({ [prefix .. name] = value }):call("conf.temporal:answer")
      assert(result == nil and err:kind() == errors.INVALID and err:retryable() == false, name)
    end
  end
end

-- on: workflow
-- modules: funcs
--- Options that are good are taken; activity.name is the type that a worker knows it by
function M.good_options()
  local options = {
    ["activity.id"] = "conf-own-id", ["activity.summary"] = "s", ["activity.priority"] = { priority_key = 1 },
    ["activity.heartbeat_timeout"] = 5000, ["activity.disable_eager_execution"] = true,
    ["activity.schedule_to_close_timeout"] = "1m", ["activity.versioning_intent"] = "unspecified",
  }
  assert(funcs.new():with_options(options):call("conf.temporal:answer", 1).first == 1)
  local renamed = funcs.new():with_options { ["activity.name"] = "conf.temporal:answer" }
  assert(renamed:call("some.other:name", 2).first == 2)
end

return M
