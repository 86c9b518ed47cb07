--- 10 Context
local M = {}

local READ, SET = "conf.ctx:read", "conf.ctx:set"

-- modules: ctx
--- A missing key is NotFound, an empty one Invalid, and all() is a table
function M.nothing_there()
  local value, err = ctx.get("no")
  assert(value == nil and err:kind() == errors.NOT_FOUND and err:message() == "key not found: no" and err:retryable() == false)
  value, err = ctx.get("")
  assert(value == nil and err:kind() == errors.INVALID and err:message() == "empty key")
  assert(not pcall(ctx.get) and not pcall(ctx.get, 5))
  local all, none = ctx.all()
  assert(type(all) == "table" and next(all) == nil and none == nil)
end

-- modules: funcs
--- What with_context gives, the callee reads, by call and by async
function M.func_to_func()
  local executor = funcs.new():with_context({ user = "anna", n = 7, ok = true, list = { 1, { x = "y" } } })
  local got = assert(executor:call(READ))
  assert(got.user == "anna" and got.n == 7 and got.ok == true and got.list[2].x == "y")
  local future = executor:async(READ)
  assert(future:response():receive():data().user == "anna")
  assert(funcs.call(READ).user == nil, "only the executor's calls have it")
end

-- modules: funcs
--- Contexts merge along a chain of calls, the inner one wins, and nothing flows back
function M.nesting()
  local got = assert(funcs.new():with_context({ a = 1, b = 1 }):call(SET, { b = 2, c = 2 }, READ))
  assert(got.a == 1 and got.b == 2 and got.c == 2)
  local executor = funcs.new():with_context({ a = 1, b = 1 })
  local both = executor:with_context({ b = 3 })
  assert(both:call(READ).b == 3 and both:call(READ).a == 1 and executor:call(READ).b == 1, "executors don't change")
end

-- modules: ctx
--- What code does to a value that it got changes nothing
function M.copies()
  local all = ctx.all()
  all.x = 1
  assert(ctx.get("x") == nil)
end

-- on: function process
--- A process inherits the context of its spawner, and what the spawner adds
function M.func_to_process(env)
  local pid = assert(process.with_context({ user = "anna", list = { 1 } }):spawn("conf.ctx:reader", env.process_host, process.pid()))
  local got = process.inbox():receive()
  assert(got:from() == pid and got.user == "anna" and got.list[1] == 1)
end

-- on: function process
--- A workflow inherits it, and so do its children and its activities
function M.to_a_workflow(env)
  local value, err = process.with_context({ user = "anna", n = 1.5, list = { "a", { b = false } } }):exec("conf.ctx:flow", env.worker, env.worker)
  assert(err == nil, err)
  for _, name in ipairs { "own", "activity", "child" } do
    local got = value[name]
    assert(got.user == "anna" and got.n == 1.5 and got.list[1] == "a" and got.list[2].b == false, name)
  end
  assert(value.child.added == true and value.own.added == nil)
end

-- on: function process
--- What JSON can't hold is left behind on the way to a workflow, without an error
function M.dropped_on_the_way(env)
  local value, err = process.with_context({ user = "anna", bad = "\255\254", f = print, holes = { [1] = 1, [5] = 5 } })
    :exec("conf.ctx:flow", env.worker, env.worker)
  assert(err == nil, err)
  assert(value.own.user == "anna" and value.own.f == nil)
end

-- on: function process
-- modules: ctx funcs
--- Keys that begin with @ are the product's own: code can't set them
function M.reserved_keys()
  assert(not pcall(function() funcs.new():with_context({ ["@doubles"] = "x" }) end))
  assert(not pcall(function() process.with_context({ ["@doubles"] = "x" }) end))
end

return M
