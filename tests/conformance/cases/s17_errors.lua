--- 17 Errors across Temporal
local M = {}

local KINDS = { "NotFound", "AlreadyExists", "Invalid", "PermissionDenied", "Unavailable", "Internal", "Canceled", "Conflict",
  "Timeout", "RateLimited", "OutOfPaper", "" }

local function once(funcs)
  return funcs.new():with_options { ["activity.retry_policy"] = { maximum_attempts = 1 }, retry = { max_attempts = 1 } }
end

-- modules: funcs
--- Kind, message, retryable and details of a function's error arrive, whatever lies between
function M.errors_of_functions()
  for _, kind in ipairs(KINDS) do
    for _, retryable in ipairs { true, false } do
      local value, err = once(funcs):call("conf.temporal:fail", kind, retryable)
      assert(value == nil and err:kind() == kind and err:retryable() == retryable, kind)
      assert(err:message() == "failed as told" and err:details().code == 7 and err:details().list[2] == 2, kind)
    end
  end
end

-- modules: funcs
--- An error that says nothing of retries says nothing, unless it is Internal over Temporal
function M.unspecified()
  local _, err = once(funcs):call("conf.temporal:fail", "Conflict")
  assert(err:retryable() == nil and err:kind() == "Conflict")
end

-- on: workflow
-- modules: funcs
--- What Temporal knows of a failed activity stands in the details
function M.wrapper_of_activities()
  local _, err = once(funcs):call("conf.temporal:fail", "Conflict", false)
  local details = err:details()
  assert(details._wrapper == "activity" and #details._activity_id > 0, "wrapper")
  assert(details._retry_state == "NON_RETRYABLE_FAILURE", details._retry_state)
  _, err = once(funcs):call("conf.temporal:fail", "Conflict", true)
  assert(err:details()._retry_state == "MAXIMUM_ATTEMPTS_REACHED")
end

-- on: workflow
-- modules: funcs
--- A local activity's error is the same
function M.local_activities()
  local _, err = once(funcs):call("conf.temporal:fail_nearby", "Conflict", false)
  assert(err:kind() == "Conflict" and err:retryable() == false and err:details().code == 7)
end

-- modules: funcs
--- A function that raises is Internal, with its text; over Temporal it is not tried again
function M.raised(env)
  local value, err = funcs.call("conf.temporal:crash")
  assert(value == nil and err:kind() == errors.INTERNAL and string.find(err, "crashed as told", 1, true))
  if env.kind == "workflow" then assert(err:retryable() == false) end
end

--- Errors of workflows arrive alike in functions, processes and workflows
function M.errors_of_workflows(env)
  for _, kind in ipairs { "NotFound", "Conflict", "OutOfPaper", "" } do
    local value, err = process.exec("conf.temporal:fails", env.worker, kind, false)
    assert(value == nil and err:kind() == kind and err:retryable() == false, kind)
    assert(err:message() == "failed as told" and err:details().code == 7, kind)
  end
end

return M
