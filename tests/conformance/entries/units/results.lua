-- One body for each row of docs/lua.md#results-and-errors.
local bodies = {}

function bodies.value(v) return v end
function bodies.shared()
  local text, t = ("x"):rep(1000000), {}
  for i = 1, 2000 do t[i] = text end
  return t
end
function bodies.two_values(v) return v, 7 end
function bodies.a_table_second() return 1, { error = "no" } end
function bodies.nothing() end
function bodies.text_error(v) return v, "went wrong" end
function bodies.object_error(v)
  return v, errors.new { message = "no stock", kind = "Conflict", retryable = true, details = { sku = "lamp", left = 0 } }
end
function bodies.false_error() return 5, false end
function bodies.raises_text() error("boom") end
function bodies.raises_object()
  error(errors.new { message = "closed", kind = "Unavailable", retryable = false, details = { until_hour = 9 } })
end
function bodies.raises_table() error({ code = 7 }) end
function bodies.raises_custom() error(errors.new { message = "odd", kind = "MyOwnKind" }) end
function bodies.coroutine_raises()
  coroutine.spawn(function() error("inner trouble") end)
  channel.new():receive()
end
function bodies.coroutine_raises_object()
  coroutine.spawn(function() error(errors.new { message = "inner", kind = "RateLimited", retryable = true }) end)
  channel.new():receive()
end
function bodies.leaves_coroutine()
  coroutine.spawn(function() channel.new():receive() error("never reached") end)
  return "done"
end
function bodies.deadlock() channel.new():receive() end
function bodies.wrapped() return nil, errors.wrap(errors.new { message = "inner", kind = "Timeout" }, "outer") end
function bodies.wrapped_twice() return nil, errors.wrap(errors.wrap("a", "b"), "c") end
function bodies.cycle()
  local t = {}
  t.self = t
  return t
end
function bodies.functions_inside() return { f = print, n = 1, ch = channel.new(), list = { 1, 2 } } end
function bodies.calls_nil() local missing = nil missing() end

return {
  main = function(which, ...)
    return bodies[which](...)
  end,
}
