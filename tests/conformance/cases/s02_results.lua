--- 2 Results and errors of every unit
local M = {}

-- A workflow's calls are activities, which Temporal would try again.
local function once()
  return funcs.new():with_options({ ["activity.retry_policy"] = { maximum_attempts = 1 } })
end

-- Runs one body as a function, a process, a called process and a workflow; gives each outcome to `check`.
local function everywhere(env, check, which, ...)
  local function see(how, value, err)
    local ok, why = pcall(check, value, err)
    if not ok then error(how .. ": " .. tostring(why) .. " (got " .. tostring(value) .. ", " .. tostring(err) .. ")", 3) end
  end
  see("function", once():call("conf.units:results.function", which, ...))
  see("called process", once():call("conf.units:results.process", which, ...))
  if env.kind ~= "workflow" then
    see("process", process.exec("conf.units:results.process", env.process_host, which, ...))
  end
  see("workflow", process.exec("conf.units:results.workflow", env.worker, which, ...))
end

local function is_failure(value, err)
  assert(value == nil, "the value is nil")
  assert(type(err) == "userdata", "the error is an object")
end

-- modules: funcs
--- `return v`: success with v
function M.returns_a_value(env)
  everywhere(env, function(value, err)
    assert(value.n == 7 and value.list[2] == "b" and err == nil)
  end, "value", { n = 7, list = { "a", "b" } })
end

-- modules: funcs
--- A result whose bytes are more than may cross is an Invalid error that says so, however little of Lua's memory it takes
function M.result_too_large(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(err:kind() == errors.INVALID and err:message():find("the limit is 8388608", 1, true))
  end, "shared")
end

-- modules: funcs
--- Only the first value survives
function M.only_the_first_value(env)
  everywhere(env, function(value, err) assert(value == "x" and err == nil) end, "two_values", "x")
end

-- modules: funcs
--- `return x, y` with y of any other type: success with x
function M.second_value_of_another_type(env)
  everywhere(env, function(value, err) assert(value == 1 and err == nil) end, "a_table_second")
  everywhere(env, function(value, err) assert(value == 5 and err == nil) end, "false_error")
end

-- modules: funcs
--- Falling off the end: success with nil
function M.returns_nothing(env)
  everywhere(env, function(value, err) assert(value == nil and err == nil) end, "nothing")
end

-- modules: funcs
--- `return x, "text"`: failure, Internal, not retryable, also when x is not nil
function M.returns_a_text_error(env)
  for _, v in ipairs { 1, false } do
    everywhere(env, function(value, err)
      is_failure(value, err)
      assert(err:message() == "went wrong" and err:kind() == "Internal" and err:retryable() == false)
    end, "text_error", v)
  end
end

-- modules: funcs
--- `return x, err`: failure with the object's kind, message, retryable and details
function M.returns_an_error_object(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(err:message() == "no stock" and err:kind() == "Conflict" and err:retryable() == true)
    assert(err:details().sku == "lamp" and err:details().left == 0)
  end, "object_error", 1)
end

-- modules: funcs
--- `error("s")`: failure, Internal, the message holds s and its position
function M.raises_text(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(err:kind() == "Internal" and string.find(err, "boom") and string.find(err, ":%d+:"))
  end, "raises_text")
end

-- modules: funcs
--- `error(err)`: failure with the object's kind, retryable and details
function M.raises_an_error_object(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(err:kind() == "Unavailable" and err:message() == "closed" and err:retryable() == false)
    assert(err:details().until_hour == 9)
  end, "raises_object")
end

-- modules: funcs
--- A kind of one's own survives
function M.own_kinds(env)
  local _, err = once():call("conf.units:results.function", "raises_custom")
  assert(err:kind() == "MyOwnKind" and err:message() == "odd", err:kind())
  _, err = process.exec("conf.units:results.workflow", env.worker, "raises_custom")
  assert(err:kind() == "MyOwnKind" and err:message() == "odd", err:kind())
end

-- modules: funcs
--- `error(table)`: failure, Internal, the table as text
function M.raises_a_table(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(err:kind() == "Internal" and type(err:message()) == "string" and err:message() ~= "")
  end, "raises_table")
end

-- modules: funcs
--- An error of the language itself names file and line
function M.language_errors_have_positions(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(string.find(err, "conf%.units:results%.%w+:%d+: attempt to call a nil value"), tostring(err))
  end, "calls_nil")
end

-- modules: funcs
--- A coroutine that raises fails the whole unit with its error
function M.coroutine_raises(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(err:kind() == "Internal" and string.find(err, "inner trouble"))
  end, "coroutine_raises")
end

-- on: function process
-- modules: funcs
--- An error object that a coroutine raises is kept
function M.coroutine_raises_an_object()
  local value, err = funcs.call("conf.units:results.function", "coroutine_raises_object")
  is_failure(value, err)
  assert(err:kind() == "RateLimited" and err:retryable() == true and err:message() == "inner")
end

-- modules: funcs
--- When main returns, coroutines that still run are dropped silently
function M.coroutines_end_with_main(env)
  everywhere(env, function(value, err) assert(value == "done" and err == nil) end, "leaves_coroutine")
end

-- modules: funcs
--- What nothing can wake fails: all coroutines blocked with no pending operations
function M.deadlock(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(string.find(err, "all coroutines blocked with no pending operations"))
  end, "deadlock")
end

-- modules: funcs
--- The context of a wrapped error becomes a prefix at the boundary
function M.wrapped_errors(env)
  local _, err = once():call("conf.units:results.function", "wrapped")
  assert(err:message() == "outer: inner" and err:kind() == "Timeout", tostring(err))
  _, err = process.exec("conf.units:results.workflow", env.worker, "wrapped_twice")
  assert(err:message() == "c: b: a", tostring(err))
end

-- modules: funcs
--- A failed call yields nil first: single-valued use is legal
function M.single_valued_use(env)
  local r = funcs.call("conf.units:results.function", "text_error", 1)
  assert(r == nil)
end

-- modules: funcs
--- A cyclic table can't cross: an error, whichever way
function M.cycles_are_errors(env)
  everywhere(env, function(value, err)
    is_failure(value, err)
    assert(string.find(err, "cycl"), tostring(err))
  end, "cycle")
  local t = {}
  t.self = t
  local value, err = funcs.call("conf.units:echo", t)
  assert(value == nil and err:kind() == "Invalid", tostring(err))
  value, err = process.send(process.pid(), "topic", t)
  assert(value == nil and err:kind() == "Invalid", tostring(err))
end

-- modules: funcs time
--- Functions, channels and threads become nil; times inside tables too; the rest of the table crosses
function M.what_does_not_cross(env)
  everywhere(env, function(value, err)
    assert(err == nil and value.f == nil and value.ch == nil and value.n == 1 and #value.list == 2)
  end, "functions_inside")
  local got = funcs.call("conf.units:echo", { t = time.now(), co = coroutine.create(print), n = 1 })
  assert(got.t == nil and got.co == nil and got.n == 1)
end

-- modules: funcs
--- Values are copied: no sharing, also of what is passed twice
function M.values_are_copied()
  local shared = { 1 }
  local got = funcs.call("conf.units:echo", { a = shared, b = shared })
  got.a[1] = 2
  assert(got.b[1] == 1 and shared[1] == 1)
  process.send(process.pid(), "copy", shared)
  shared[1] = 3
  assert(process.inbox():receive():payload():data()[1] == 1)
end

-- modules: funcs
--- Integers, floats, booleans, text, bytes and nested tables cross
function M.what_crosses()
  local sent = { i = 42, f = 1.5, t = true, no = false, s = "text", bytes = "\0\255", big = math.maxinteger, nested = { { {} } } }
  local got = assert(funcs.call("conf.units:echo", sent))
  assert(math.type(got.i) == "integer" and got.i == 42 and got.f == 1.5)
  assert(got.t == true and got.no == false and got.s == "text" and got.bytes == "\0\255")
  assert(got.big == math.maxinteger and type(got.nested[1][1]) == "table")
end

-- modules: funcs
--- nil arguments keep their places
function M.nil_arguments()
  local got = assert(funcs.call("conf.units:places", nil, 2, nil, 4))
  assert(got[1] == "nil" and got[2] == 2 and got[3] == "nil" and got[4] == 4)
end

-- modules: funcs
--- Error objects cross as errors, also inside tables
function M.errors_cross()
  local err = errors.new { message = "inside", kind = "Conflict", retryable = true, details = { a = 1 } }
  local got = assert(funcs.call("conf.units:echo", { err = err }))
  assert(type(got.err) == "userdata" and got.err:kind() == "Conflict" and got.err:message() == "inside")
  assert(got.err:retryable() == true and got.err:details().a == 1)
end

--- Endless recursion is an error of Lua, which pcall catches; the unit goes on
function M.endless_recursion()
  local function deeper(n) return 1 + deeper(n + 1) end
  local ok, err = pcall(deeper, 1)
  assert(not ok and string.find(err, "stack overflow", 1, true), err)
  local function depth(n) return n == 0 and 0 or 1 + depth(n - 1) end
  assert(depth(50000) == 50000)
end

return M
