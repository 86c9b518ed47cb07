--- 7 Function calls
local M = {}

-- modules: funcs
--- call returns value, nil
function M.call()
  local value, err = funcs.call("conf.units:echo", { a = 1 })
  assert(value.a == 1 and err == nil)
end

-- modules: funcs
--- A call, an exec and a spawn have exactly two results, also where all of them are passed on
function M.two_results(env)
  assert(select("#", funcs.call("conf.units:echo", 1)) == 2)
  assert(select("#", coroutine.wrap(function() return funcs.call("conf.units:echo", 1) end)()) == 2)
  assert(select("#", process.exec("conf.units:results.workflow", env.worker, "value", 1)) == 2)
  assert(select("#", funcs.call("conf.units:results.function", "text_error", "no")) == 2)
end

-- modules: funcs
--- Bad ids are Invalid before anything is called
function M.bad_ids()
  for id, message in pairs {
    [""] = "function ID required", nope = "namespace required in function ID", [":x"] = "namespace required in function ID",
    ["app:"] = "name required in function ID",
  } do
    for _, start in ipairs { funcs.call, funcs.async } do
      local value, err = start(id)
      assert(value == nil and err:kind() == "Invalid" and err:message() == message, id .. ": " .. tostring(err))
    end
    local value, err = funcs.new():call(id)
    assert(value == nil and err:message() == message)
  end
  local value, err = funcs.call()
  assert(value == nil and err:kind() == "Invalid" and err:message() == "function ID required")
end

-- modules: funcs
--- An executor is never changed by its builder steps
function M.executor_is_immutable()
  local first = funcs.new()
  local second = first:with_context({ a = 1 })
  assert(type(first) == "userdata" and first ~= second and second:with_options({}) ~= second)
  assert(first:call("conf.calls:context").a == nil)
  assert(second:call("conf.calls:context").a == 1)
end

-- modules: funcs
--- with_context merges over what was set before and what is inherited
function M.with_context_merges()
  local got = funcs.new():with_context({ a = 1, b = 1 }):with_context({ b = 2, c = 3 }):call("conf.calls:context")
  assert(got.a == 1 and got.b == 2 and got.c == 3)
  got = funcs.new():with_context({ a = 1, b = 1 }):call("conf.calls:nested_context", { b = 2 })
  assert(got.a == 1 and got.b == 2, "inner wins, outer is inherited")
end

-- on: function process
-- modules: funcs
--- with_options replaces the options set before
function M.with_options_replaces()
  local both = funcs.new():with_options({ timeout = 50 }):with_options({ colour = "blue" })
  assert(both:call("conf.units:slow", "120ms") == "slept", "the timeout is still there")
end

-- modules: funcs
--- Misuse of builder steps raises
function M.misuse_raises()
  local e = funcs.new()
  for _, wrong in ipairs { "x", 1, true } do
    assert(not pcall(e.with_context, e, wrong) and not pcall(e.with_options, e, wrong))
  end
  assert(not pcall(e.call) and not pcall(funcs.call, {}) and not pcall(funcs.call, 7))
end

-- modules: funcs
--- Several arguments arrive in order
function M.arguments()
  local got = funcs.call("conf.units:places", 1, "two", { 3 }, true)
  assert(got[1] == 1 and got[2] == "two" and got[3][1] == 3 and got[4] == true)
end

return M
