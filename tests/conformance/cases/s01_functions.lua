--- 1.4 Functions: pools, options, retries, processes as functions
local M = {}

local function new_tally(env)
  return assert(process.spawn("conf.units:tally", env.process_host))
end

-- modules: funcs
--- Nested self-calls deeper than the pool do not deadlock
function M.nested_self_calls()
  for _, name in ipairs { "static_of_one", "static_of_two", "inline", "adaptive" } do
    local id = "conf.units:" .. name
    assert(funcs.call(id, id, 5) == 5, name)
  end
end

-- modules: funcs
--- Functions of full pools that call each other do not deadlock
function M.nested_calls_of_two()
  local a = funcs.async("conf.units:static_of_one", "conf.units:static_of_two", 4)
  local b = funcs.async("conf.units:static_of_two", "conf.units:static_of_one", 4)
  assert(a:response():receive():data() == 4 and b:response():receive():data() == 4)
end

-- modules: funcs
--- Calls beyond the bound of a pool queue and all end
function M.calls_queue()
  local futures = {}
  for i = 1, 4 do futures[i] = assert(funcs.async("conf.units:overlap")) end
  local times = {}
  for i, future in ipairs(futures) do times[i] = future:response():receive():data() end
  table.sort(times, function(x, y) return x.from < y.from end)
  for i = 2, #times do assert(times[i].from >= times[i - 1].to, "two calls of a pool of one overlap") end
end

-- on: function process
-- modules: funcs
--- with_options{retry} tries again: max_attempts counts the first try
function M.retries(env)
  local tally = new_tally(env)
  local retrying = funcs.new():with_context({ who = "retries" })
    :with_options({ retry = { max_attempts = 3, initial_delay = 5, backoff_factor = 1, jitter = 0 } })
  assert(retrying:call("conf.units:flaky", tally, 2, "Unavailable") == 3)
  local tally2 = new_tally(env)
  local value, err = retrying:call("conf.units:flaky", tally2, 9, "Unavailable")
  assert(value == nil and err:message() == "attempt 3" and err:kind() == "Unavailable")
end

-- on: function process
-- modules: funcs
--- meta.options gives defaults that the caller's options override
function M.options_of_meta(env)
  assert(funcs.call("conf.units:flaky_by_meta", new_tally(env), 2, "Unavailable") == 3)
  local once = funcs.new():with_options({ retry = { max_attempts = 1 } })
  local _, err = once:call("conf.units:flaky_by_meta", new_tally(env), 2, "Unavailable")
  assert(err:message() == "attempt 1", err:message())
end

-- on: function process
-- modules: funcs
--- retryable == false stops retries at once, whatever the options
function M.not_retryable_stops(env)
  local retrying = funcs.new():with_options({ retry = { max_attempts = 5, initial_delay = 1, retry_kinds = { "Unavailable" } } })
  local _, err = retrying:call("conf.units:flaky", new_tally(env), 9, "Unavailable", false)
  assert(err:message() == "attempt 1", err:message())
end

-- on: function process
-- modules: funcs
--- Without retry_kinds Invalid, PermissionDenied and Internal are not retried
function M.kinds_not_retried(env)
  local retrying = funcs.new():with_options({ retry = { max_attempts = 3, initial_delay = 1 } })
  for _, kind in ipairs { "Invalid", "PermissionDenied", "Internal" } do
    local _, err = retrying:call("conf.units:flaky", new_tally(env), 9, kind)
    assert(err:message() == "attempt 1", kind .. " was retried: " .. err:message())
  end
  local _, err = retrying:call("conf.units:flaky", new_tally(env), 9, "Timeout", true)
  assert(err:message() == "attempt 3", err:message())
end

-- on: function process
-- modules: funcs
--- retry_kinds names what is retried, skip_kinds what is not
function M.retry_and_skip_kinds(env)
  local only = funcs.new():with_options({ retry = { max_attempts = 3, initial_delay = 1, retry_kinds = { "Internal" } } })
  local _, err = only:call("conf.units:flaky", new_tally(env), 9, "Internal")
  assert(err:message() == "attempt 3", err:message())
  _, err = only:call("conf.units:flaky", new_tally(env), 9, "Unavailable")
  assert(err:message() == "attempt 1", err:message())
  local skipping = funcs.new():with_options({ retry = { max_attempts = 3, initial_delay = 1, skip_kinds = { "Unavailable" } } })
  _, err = skipping:call("conf.units:flaky", new_tally(env), 9, "Unavailable")
  assert(err:message() == "attempt 1", err:message())
end

-- on: function process
-- modules: funcs
--- Without options nothing is retried, and unknown options are ignored
function M.no_retry_by_default(env)
  local _, err = funcs.call("conf.units:flaky", new_tally(env), 9, "Unavailable")
  assert(err:message() == "attempt 1")
  assert(funcs.new():with_options({ colour = "blue", priority = 3 }):call("conf.units:echo", 1) == 1)
end

-- modules: funcs
--- An expired `timeout` (milliseconds or text) is kind Timeout
function M.timeouts()
  for _, timeout in ipairs { 50, "50ms" } do
    local value, err = funcs.new():with_options({ timeout = timeout }):call("conf.units:slow", "30s")
    assert(value == nil and err:kind() == "Timeout", tostring(err))
  end
  local _, err = funcs.call("conf.units:slow_by_meta", "30s")
  assert(err:kind() == "Timeout", tostring(err))
end

-- modules: funcs
--- A process with meta.default_host can be called: it is spawned there, its result is the call's
function M.process_as_function(env)
  for _, name in ipairs { "callee_process", "callee_by_option" } do
    local got = assert(funcs.call("conf.units:" .. name, 1, "two"))
    assert(got.id == "conf.units:" .. name)
    assert(got.pid:find(env.process_host .. "|", 1, true), got.pid)
    assert(got.args[1] == 1 and got.args[2] == "two")
  end
end

-- modules: funcs
--- A process without default_host is no function: NotFound
function M.homeless_process()
  local value, err = funcs.call("conf.units:homeless_process")
  assert(value == nil and err:kind() == "NotFound" and err:retryable() == false, tostring(err))
end

-- on: function process
-- modules: funcs
--- Cancelling the future of a called process sends it CANCEL
function M.cancel_of_a_called_process()
  local waiting, canceled = process.listen("waiting"), process.listen("canceled")
  local future = assert(funcs.async("conf.units:callee_process", "wait", process.pid()))
  waiting:receive()
  assert(future:cancel())
  assert(canceled:receive() == "CANCEL")
end

-- on: function process
-- modules: funcs
--- Cancelling a future sends CANCEL to the function
function M.cancel_of_a_called_function()
  local waiting, canceled = process.listen("waiting"), process.listen("canceled")
  local future = assert(funcs.async("conf.units:waits_for_cancel", process.pid()))
  waiting:receive()
  assert(future:cancel())
  local got = canceled:receive()
  assert(got[1] == "pid.cancel" and got[2] == "CANCEL")
end

-- on: function process
-- modules: funcs
--- A missing function is NotFound, not retryable: no handler registered for target
function M.missing_target()
  local value, err = funcs.call("conf.units:nowhere")
  assert(value == nil and err:kind() == "NotFound" and err:retryable() == false)
  assert(string.find(err, "no handler registered for target", 1, true), tostring(err))
end

-- modules: funcs
--- A function call is an actor with a pid, a mailbox, children and tasks of its own
function M.calls_are_actors(env)
  local got = assert(funcs.call("conf.units:actor_in_call", env.process_host))
  assert(got.count == 1 and got.exit == 1 and got.task == "from a task")
  assert(got.id == "conf.units:actor_in_call")
  assert(got.pid:find("conf.units:actor_in_call|", 1, true), got.pid)
end

return M
