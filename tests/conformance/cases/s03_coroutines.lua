--- 3 Coroutines and scheduling
local M = {}

--- coroutine.spawn returns a thread and starts tasks in the order of spawning
function M.spawn_is_first_in_first_out()
  local order, done = {}, channel.new()
  for i = 1, 4 do
    local thread = coroutine.spawn(function(a, b)
      order[#order + 1] = a + b
      if a == 4 then done:send(true) end
    end, i, 0)
    assert(type(thread) == "thread")
  end
  assert(#order == 0, "a task runs when its turn comes")
  done:receive()
  assert(table.concat(order, " ") == "1 2 3 4")
end

--- Tasks change only where something blocks
function M.switch_points()
  local log, done = {}, channel.new(2)
  for _, name in ipairs { "a", "b" } do
    coroutine.spawn(function()
      for i = 1, 3 do log[#log + 1] = name .. i end
      done:send(true)
    end)
  end
  done:receive()
  done:receive()
  assert(table.concat(log, " ") == "a1 a2 a3 b1 b2 b3", table.concat(log, " "))
end

-- modules: time
--- time.sleep(0) lets the others run first
function M.sleep_zero_yields()
  local log = {}
  coroutine.spawn(function() log[#log + 1] = "other" end)
  time.sleep(0)
  log[#log + 1] = "main"
  assert(table.concat(log, " ") == "other main")
end

--- create, resume, yield, status, running, wrap and close work as in Lua
function M.standard_coroutines()
  local co = coroutine.create(function(a)
    local b = coroutine.yield(a + 1)
    return b * 2
  end)
  assert(coroutine.status(co) == "suspended")
  local ok, value = coroutine.resume(co, 1)
  assert(ok and value == 2)
  ok, value = coroutine.resume(co, 21)
  assert(ok and value == 42 and coroutine.status(co) == "dead")
  assert(coroutine.resume(co) == false)
  local next_value = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i) end end)
  assert(next_value() == 1 and next_value() == 2)
  assert(type(coroutine.running()) == "thread")
  local failing = coroutine.wrap(function() error("inside") end)
  local raised, why = pcall(failing)
  assert(not raised and why:find("inside"))
  local closed = coroutine.create(function() coroutine.yield() end)
  coroutine.resume(closed)
  assert(coroutine.close(closed) and coroutine.status(closed) == "dead")
end

-- modules: time
--- `<close>` variables are closed when an error ends a wrapped coroutine, and when a task ends; a handler of xpcall that raises gives false
function M.clean_up()
  local log = {}
  local function resource(name)
    return setmetatable({}, { __close = function() log[#log + 1] = name end })
  end
  pcall(coroutine.wrap(function() local r <close> = resource("wrap") error("x") end))
  coroutine.spawn(function() local r <close> = resource("task") end)
  time.sleep("1ms")
  assert(table.concat(log, " ") == "wrap task", table.concat(log, " "))
  local ok = xpcall(error, function(e) return "message: " .. e end, nil)
  assert(ok == false)
end

-- modules: time
--- What blocks inside a manually resumed coroutine passes through the user's resume
function M.blocking_in_a_user_coroutine()
  local co = coroutine.create(function()
    time.sleep("5ms")
    local got = coroutine.yield("first")
    time.sleep("5ms")
    return got
  end)
  local ok, value = coroutine.resume(co)
  assert(ok and value == "first", tostring(value))
  ok, value = coroutine.resume(co, "second")
  assert(ok and value == "second", tostring(value))
end

-- modules: time funcs
--- Blocking is transparent to pcall, xpcall and error handlers
function M.blocking_in_pcall()
  local ok, value = pcall(function()
    time.sleep("2ms")
    return funcs.call("conf.units:echo", "through")
  end)
  assert(ok and value == "through")
  local seen
  ok, value = xpcall(function()
    time.sleep("2ms")
    error("late")
  end, function(why)
    time.sleep("2ms")
    seen = why
    return "handled"
  end)
  assert(not ok and value == "handled" and seen:find("late"))
end

-- modules: time
--- Blocking works in metamethods, iterators, sort comparators and gsub callbacks
function M.blocking_anywhere()
  local t = setmetatable({}, {
    __index = function(_, key) time.sleep("1ms") return key .. "!" end,
    __add = function() time.sleep("1ms") return "sum" end,
    __call = function(_, x) time.sleep("1ms") return x end,
  })
  assert(t.field == "field!" and t + 1 == "sum" and t(5) == 5)
  local sum = 0
  for i in function(_, last) time.sleep("1ms") if last < 3 then return last + 1 end end, nil, 0 do sum = sum + i end
  assert(sum == 6)
  local list = { 3, 1, 2 }
  table.sort(list, function(a, b) time.sleep("1ms") return a < b end)
  assert(table.concat(list) == "123")
  assert(("abc"):gsub("%w", function(c) time.sleep("1ms") return c:upper() end) == "ABC")
end

--- pcall returns raised values unchanged: an object stays an object, text gets its position
function M.pcall_keeps_values()
  local object = errors.new("kept")
  local ok, value = pcall(error, object)
  assert(not ok and value == object)
  local t = {}
  ok, value = pcall(error, t)
  assert(value == t)
  ok, value = pcall(function() error("text") end)
  assert(type(value) == "string" and value:find(":%d+: text"), value)
  ok, value = pcall(error, nil)
  assert(not ok and value == nil)
end

--- Tasks of a unit share its variables; channels connect them
function M.tasks_share_variables()
  local total, done = 0, channel.new()
  for i = 1, 10 do
    coroutine.spawn(function()
      total = total + i
      if i == 10 then done:send(total) end
    end)
  end
  assert(done:receive() == 55)
end

-- modules: time
--- Many tasks that sleep end in the order of their times
function M.sleeping_tasks()
  local order, done = {}, channel.new(5)
  for i = 5, 1, -1 do
    coroutine.spawn(function()
      time.sleep(i * 150 * time.MILLISECOND)
      order[#order + 1] = i
      done:send(true)
    end)
  end
  for _ = 1, 5 do done:receive() end
  assert(table.concat(order) == "12345", table.concat(order))
end

--- pairs visits keys in one fixed order
function M.pairs_is_deterministic()
  local t = {}
  for i = 1, 20 do t["key" .. i] = i end
  local first, second = {}, {}
  for key in pairs(t) do first[#first + 1] = key end
  for key in next, t do second[#second + 1] = key end
  assert(#first == 20 and table.concat(first, " ") == table.concat(second, " "))
end

return M
