--- 14 What differs inside a workflow: timers, calls, itself
local M = {}

-- on: workflow
-- modules: time
--- Timers, tickers and select work as elsewhere
function M.timers()
  local timer, ticker = time.timer("10s"), time.ticker("15ms")
  assert(ticker:response():receive() and ticker:response():receive())
  ticker:stop()
  assert(timer:stop() == true and timer:stop() == false)
  local result = channel.select { time.after("5ms"):case_receive(), process.inbox():case_receive() }
  assert(result.ok)
end

-- on: workflow
-- modules: funcs
--- Calls in coroutines run at the same time
function M.calls_at_once()
  local done = channel.new(3)
  for i = 1, 3 do
    coroutine.spawn(function() done:send(funcs.call("conf.temporal:answer", i).first) end)
  end
  local sum = 0
  for _ = 1, 3 do sum = sum + done:receive() end
  assert(sum == 6)
end

-- on: workflow
--- Control of a workflow that is none is NotFound
function M.control_of_nobody()
  local value, err = process.cancel("{conf:client@conf:worker|conf-nobody}")
  assert(value == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false)
  value, err = process.send("{conf:client@conf:worker|conf-nobody}", "topic", 1)
  assert(value == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false)
  value, err = process.send("conf no such name", "topic", 1)
  assert(value == nil and err:kind() == errors.NOT_FOUND)
end

-- on: workflow
--- Messages to itself arrive, with its own pid as sender
function M.message_to_itself()
  assert(process.send(process.pid(), "me", 5))
  local m = process.inbox():receive()
  assert(m:topic() == "me" and m:from() == process.pid() and m:payload():data() == 5)
end

return M
