--- 7 Python functions
local M = {}

-- modules: funcs
--- funcs.call and funcs.async run Python functions, sync and async ones
function M.calls()
  assert(funcs.call("conf.python:add", 1, 2) == 3)
  assert(funcs.call("conf.python:add_later", 1, 2) == 3)
  assert(funcs.call("conf.python:local_add", 1, 2) == 3)
  local one, two = funcs.async("conf.python:add", 1, 1), funcs.async("conf.python:add_later", 2, 2)
  assert(one:response():receive():data() == 2)
  assert(two:response():receive():data() == 4)
end

-- modules: funcs
--- Plain data crosses both ways as it went
function M.values()
  local told = assert(funcs.call("conf.python:echo", { a = { 1, 2.5, "x", true } }, "é", { 1, 2 }))
  assert(told[1].a[2] == 2.5 and told[1].a[3] == "x" and told[1].a[4] == true)
  assert(told[2] == "é" and #told[3] == 2)
end

-- modules: funcs
--- Annotated parameters are built from plain data, and decimals come as text
function M.dataclasses()
  local lines = { { price = "1.10", pieces = 2 }, { price = 3 } }
  assert(funcs.call("conf.python:total", lines) == "5.20")
  local _, err = funcs.call("conf.python:total", { { price = "much" } })
  assert(err:kind() == "Invalid" and err:message():find("lines[0].price: must be a decimal number", 1, true), err:message())
  _, err = funcs.call("conf.python:total", { { price = 1, colour = "red" } })
  assert(err:message():find("lines[0].colour: Line has no such field", 1, true), err:message())
end

-- modules: funcs
--- What can't cross is Invalid, and named by its path
function M.what_can_not_cross()
  for name, text in pairs { set = "result.tags: a set", nan = "result.items[0].price: Decimal('NaN')", big = "beyond 64 bits" } do
    local value, err = funcs.call("conf.python:result", name)
    assert(value == nil and err:kind() == "Invalid" and err:retryable() == false)
    assert(err:message():find(text, 1, true), err:message())
  end
end

-- modules: funcs
--- Errors of the sdk come with kind, message, retryable and details; any other exception is Internal
function M.errors_of_python()
  local _, err = funcs.call("conf.python:refuses")
  assert(err:kind() == "NotFound" and err:message() == "no such order" and err:retryable() == false)
  assert(err:details().order == 7)
  _, err = funcs.call("conf.python:breaks")
  assert(err:kind() == "Internal" and err:message() == "ValueError: broken")
  _, err = funcs.call("conf.python:add", 1)
  assert(err:kind() == "Invalid" and err:message():find("missing a required argument: 'b'", 1, true), err:message())
end

-- modules: funcs
--- The context tells the entry, the pid, the attempt, a key of the call, and the values of ctx
function M.context(env)
  local told = assert(funcs.new():with_context({ order = 5 }):call("conf.python:who"))
  assert(told.entry == "conf.python:who" and told.attempt == 1 and told.context.order == 5)
  assert(told.pid:find("conf.python:who|", 1, true) and told.context.activity == nil)
  assert(told.in_run == (env.kind == "workflow"))
  assert(told.key ~= funcs.call("conf.python:who").key)
end

-- modules: funcs
--- A function acts for the actor of its entry's security
function M.actor()
  assert(funcs.call("conf.python:whoami").actor == "service:python")
end

-- modules: funcs
--- Tries of one call have one key, and know what the one before told by its heartbeat
function M.tries()
  local told = assert(funcs.call("conf.python:flaky"))
  assert(told.attempt == 3 and told.told.key == told.key, told.attempt)
end

-- on: function process
-- modules: funcs
--- A timeout ends the call of sync and async functions
function M.timeouts()
  local hasty = funcs.new():with_options({ timeout = "20ms" })
  for _, name in ipairs { "waits", "waits_later" } do
    local _, err = hasty:call("conf.python:" .. name)
    assert(err:kind() == "Timeout", err:message())
  end
end

-- modules: funcs
--- A callable that is not there is NotFound
function M.missing()
  local options = funcs.new():with_options({ retry = { max_attempts = 1 } })
  local _, err = options:call("conf.python:missing")
  assert(err:kind() == "NotFound", err:message())
end

return M
