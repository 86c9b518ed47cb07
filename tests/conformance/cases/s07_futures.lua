--- 7 Futures
local M = {}

local function once()
  return funcs.new():with_options({ ["activity.retry_policy"] = { maximum_attempts = 1 } })
end

-- modules: funcs
--- Success: the channel gives one Payload, then closes
function M.success()
  local future, err = funcs.async("conf.units:echo", "x")
  assert(type(future) == "userdata" and err == nil)
  local ch = future:response()
  local value, ok = ch:receive()
  assert(type(value) == "userdata" and ok == true and value:data() == "x")
  value, ok = ch:receive()
  assert(value == nil and ok == false)
end

-- modules: funcs
--- Failure: the channel gives the error object with ok = true, then closes
function M.failure()
  local future = once():async("conf.units:results.function", "object_error", 1)
  local err, ok = future:channel():receive()
  assert(ok == true and type(err) == "userdata" and err.kind and err:kind() == "Conflict" and err:message() == "no stock")
  local value
  value, ok = future:channel():receive()
  assert(value == nil and ok == false)
end

-- modules: funcs
--- A value can be told from an error by its type: a Payload has data, an error has kind
function M.type_test()
  local good, bad = funcs.async("conf.units:echo", 1), once():async("conf.units:results.function", "text_error", 1)
  local value, err = good:response():receive(), bad:response():receive()
  assert(type(value) == "userdata" and value.data and not pcall(function() return value:kind() end))
  assert(type(err) == "userdata" and err.kind and not pcall(function() return err:data() end))
end

-- modules: funcs
--- Pending: is_complete false, result nil, nil, error nil, false
function M.pending()
  local future = funcs.async("conf.units:slow", "30ms")
  assert(future:is_complete() == false and future:is_canceled() == false)
  local value, err = future:result()
  assert(value == nil and err == nil)
  local failure, failed = future:error()
  assert(failure == nil and failed == false)
  future:response():receive()
end

-- modules: funcs
--- Complete: result gives a Payload, error nil, false
function M.complete()
  local future = funcs.async("conf.units:echo", { n = 5 })
  future:response():receive()
  assert(future:is_complete() == true and future:is_canceled() == false)
  local value, err = future:result()
  assert(value:data().n == 5 and err == nil)
  local failure, failed = future:error()
  assert(failure == nil and failed == false)
  assert(future:result():data().n == 5, "asking twice")
end

-- modules: funcs
--- Failed: result nil, err; error err, true
function M.failed()
  local future = once():async("conf.units:results.function", "text_error", 1)
  future:response():receive()
  assert(future:is_complete() == true)
  local value, err = future:result()
  assert(value == nil and err:message() == "went wrong")
  local failure, failed = future:error()
  assert(failure:message() == "went wrong" and failed == true)
end

-- modules: funcs
--- Cancelled: the channel is closed without a value, result is Canceled `canceled`
function M.canceled()
  local future = funcs.async("conf.units:slow", "30s")
  local ok, err = future:cancel()
  assert(ok == true and err == nil and future:is_canceled() == true)
  local value
  value, ok = future:response():receive()
  assert(value == nil and ok == false)
  value, err = future:result()
  assert(value == nil and err:kind() == "Canceled" and err:message() == "canceled")
  assert(future:cancel() == true, "twice")
end

-- modules: funcs
--- Cancelling a complete future changes nothing
function M.cancel_after_completion()
  local future = funcs.async("conf.units:echo", 1)
  future:response():receive()
  assert(future:cancel() == true and future:is_canceled() == false and future:result():data() == 1)
end

-- modules: funcs
--- The result of a call that nobody received stays in its channel
function M.result_waits_in_the_channel()
  local a, b = funcs.async("conf.units:echo", "a"), funcs.async("conf.units:echo", "b")
  assert(b:response():receive():data() == "b")
  assert(a:response():receive():data() == "a")
end

-- modules: funcs
--- Several futures in one select
function M.select_over_futures()
  local futures, cases, left = {}, {}, 3
  for i = 1, 3 do
    futures[i] = funcs.async("conf.units:echo", i)
    cases[i] = futures[i]:response():case_receive()
  end
  local sum = 0
  while left > 0 do
    local got = channel.select(cases)
    if got.ok then
      sum = sum + got.value:data()
      left = left - 1
    end
    for i, future in ipairs(futures) do
      if future:response() == got.channel then
        table.remove(futures, i)
        table.remove(cases, i)
        break
      end
    end
  end
  assert(sum == 6)
end

return M
