--- 16 Sagas of activities
local M = {}

local function order(env, steps)
  local log = process.listen("log")
  local ids, err = process.exec("conf.shop:order", env.worker, process.pid(), steps)
  return ids, err, function(...)
    for _, line in ipairs { ... } do
      local got = log:receive()
      assert(got == line, got)
    end
  end
end

-- on: function process
--- Steps that go well are done once, in order
function M.goes_through(env)
  local ids, err, logged = order(env, { { name = "stock", how = "" }, { name = "payment", how = "" } })
  assert(err == nil and ids[1] == "stock-1" and ids[2] == "payment-1")
  logged("book stock", "book payment")
end

-- on: function process
--- A step that fails undoes those before it, the last one first, and its error is the workflow's
function M.compensates(env)
  local steps = { { name = "stock", how = "" }, { name = "payment", how = "" }, { name = "truck", how = "decline" } }
  local ids, err, logged = order(env, steps)
  assert(ids == nil and err:kind() == "PermissionDenied" and err:message() == "truck was declined")
  logged("book stock", "book payment", "book truck", "undo payment payment-1", "undo stock stock-1")
end

-- on: function process
--- A step that raises is not tried again, and is undone like any other failure
function M.compensates_a_raise(env)
  local ids, err, logged = order(env, { { name = "stock", how = "" }, { name = "truck", how = "raise" } })
  assert(ids == nil and err:kind() == "Internal" and err:retryable() == false)
  assert(string.find(err, "truck broke", 1, true))
  logged("book stock", "book truck", "undo stock stock-1")
end

return M
