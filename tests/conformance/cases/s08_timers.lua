--- 8 Time: sleeping and timers
local M = {}

-- modules: time
--- sleep returns nothing; nothing and less only gives the others a turn; what is no duration is Invalid
function M.sleep()
  assert(select("#", time.sleep("1ms")) == 0 and select("#", time.sleep(0)) == 0 and select("#", time.sleep("-1h")) == 0)
  local turns = {}
  coroutine.spawn(function() turns[1] = "other" end)
  time.sleep(0)
  assert(turns[1] == "other")
  local value, err = time.sleep("soon")
  assert(value == nil and err:kind() == errors.INVALID)
end

-- modules: time
--- A sleep lasts at least as long as it says
function M.sleep_lasts()
  local began = time.now()
  time.sleep(20 * time.MILLISECOND)
  assert(time.now():sub(began):milliseconds() >= 19)
end

-- modules: time
--- after delivers one Time and closes
function M.after()
  local ch = time.after("2ms")
  local t, ok = ch:receive()
  assert(ok and type(t) == "userdata" and t:unix() > 0)
  t, ok = ch:receive()
  assert(t == nil and ok == false)
end

-- modules: time
--- What is no positive duration is Invalid for after, timer and ticker
function M.positive_only()
  for _, name in ipairs { "after", "timer", "ticker" } do
    for _, d in ipairs { 0, -5, "0s", "-1s", "soon", true, 0 / 0 } do
      local value, err = time[name](d)
      assert(value == nil and err:kind() == errors.INVALID, name .. " " .. tostring(d))
    end
  end
end

-- modules: time
--- A timer fires once on its channel, which is the same each time
function M.timer()
  local timer = time.timer("2ms")
  assert(type(timer) == "userdata" and timer:channel() == timer:response())
  local t, ok = timer:response():receive()
  assert(ok and t:unix() > 0 and timer:stop() == false)
end

-- modules: time
--- stop says whether the timer was active, and closes its channel
function M.stop()
  local timer = time.timer("1h")
  local ch = timer:channel()
  assert(timer:stop() == true and timer:stop() == false)
  local t, ok = ch:receive()
  assert(t == nil and ok == false)
end

-- modules: time
--- reset starts over and says whether the timer was active; what is no positive duration raises
function M.reset()
  local timer = time.timer("1h")
  assert(timer:reset("2ms") == true)
  assert(select(2, timer:channel():receive()) == true)
  assert(timer:reset("2ms") == false)
  assert(select(2, timer:channel():receive()) == true)
  for _, d in ipairs { 0, "-1s", "soon", true } do assert(not pcall(timer.reset, timer, d)) end
  timer:stop()
  assert(timer:reset("1ms") == false and select(2, timer:channel():receive()) == true)
end

-- modules: time
--- A ticker ticks until it is stopped, which closes its channel
function M.ticker()
  local ticker = time.ticker("3ms")
  assert(ticker:channel() == ticker:response())
  local last
  for _ = 1, 3 do
    local t, ok = ticker:channel():receive()
    assert(ok and not (last and t:before(last)))
    last = t
  end
  assert(ticker:stop() == true)
  for _ = 1, 17 do
    if not select(2, ticker:channel():receive()) then return end
  end
  error("the channel is still open")
end

-- on: function process
-- modules: time
--- Ticks for a slow receiver are kept up to sixteen, others dropped
function M.ticks_are_bounded()
  local ticker = time.ticker("1ms")
  time.sleep("300ms")
  ticker:stop()
  local count = 0
  for _ in ticker:channel():iter() do count = count + 1 end
  assert(count > 1 and count <= 16, "kept " .. count) -- a busy machine ticks late
end

-- modules: time
--- Timers stand in select beside other channels
function M.select()
  local quiet = channel.new()
  local timeout = time.after("2ms")
  local got = channel.select { quiet:case_receive(), timeout:case_receive() }
  assert(got.channel == timeout and got.ok)
end

-- on: workflow
-- modules: time
--- A timer of centuries can be started and stopped
function M.very_long()
  local timer = assert(time.timer("2562047h"))
  time.sleep("1ms")
  assert(timer:stop() == true)
end

return M
