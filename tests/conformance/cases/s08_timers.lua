--- 8 Sleeping, timers, tickers
local M = {}

-- modules: time
--- sleep takes a number of nanoseconds, text or a Duration, and returns nothing
function M.sleep()
  for _, d in ipairs { 5 * time.MILLISECOND, "5ms", time.parse_duration("5ms"), 5e6 } do
    local began = time.now()
    assert(select("#", time.sleep(d)) == 0, "returns something")
    assert(time.now():sub(began):milliseconds() >= 5)
  end
end

-- modules: time
--- sleep of a bad duration: nil, Invalid; of zero or less: only lets others run
function M.bad_sleep()
  for _, d in ipairs { "soon", "", "5", "1x", {}, true } do
    local value, err = time.sleep(d)
    assert(value == nil and err:kind() == "Invalid", tostring(d))
  end
  time.sleep(0)
  time.sleep(-5)
  time.sleep("-1s")
end

-- modules: time
--- after gives one Time, then is closed
function M.after()
  local ch = time.after("5ms")
  local value, ok = ch:receive()
  assert(type(value) == "userdata" and ok == true and value:unix() > 0)
  value, ok = ch:receive()
  assert(value == nil and ok == false)
end

-- modules: time
--- after, timer and ticker of zero, less or nonsense: nil, Invalid
function M.bad_timers()
  for _, name in ipairs { "after", "timer", "ticker" } do
    for _, d in ipairs { 0, -1, "0s", "-1s", "soon", {} } do
      local value, err = time[name](d)
      assert(value == nil and err:kind() == "Invalid", name .. " " .. tostring(d))
    end
  end
end

-- modules: time
--- A timer fires once on its channel
function M.timer()
  local timer = time.timer("5ms")
  assert(type(timer) == "userdata" and timer:response() == timer:channel())
  local value, ok = timer:channel():receive()
  assert(type(value) == "userdata" and ok == true)
  assert(timer:stop() == false, "it is not active any more")
end

-- modules: time
--- stop says whether it was active and closes the channel
function M.timer_stop()
  local timer = time.timer("1h")
  assert(timer:stop() == true)
  local value, ok = timer:channel():receive()
  assert(value == nil and ok == false)
  assert(timer:stop() == false)
end

-- modules: time
--- reset says whether it was active; a bad or non-positive duration raises
function M.timer_reset()
  local timer = time.timer("1h")
  assert(timer:reset("5ms") == true)
  timer:channel():receive()
  assert(timer:reset("5ms") == false)
  timer:channel():receive()
  for _, d in ipairs { 0, -1, "soon", "0s" } do assert(not pcall(timer.reset, timer, d), tostring(d)) end
end

-- modules: time
--- A ticker ticks until it is stopped; stop returns true and closes the channel
function M.ticker()
  local ticker = time.ticker("5ms")
  local last
  for _ = 1, 4 do
    local tick, ok = ticker:response():receive()
    assert(ok and (last == nil or tick:after(last)))
    last = tick
  end
  assert(ticker:stop() == true)
  repeat local _, ok = ticker:channel():receive() until not ok
end

-- on: function process
-- modules: time funcs
--- Ticks for a slow receiver are kept up to sixteen, others dropped
function M.ticks_are_bounded()
  local ticker = time.ticker("1ms")
  time.sleep("80ms")
  ticker:stop()
  local count = 0
  for _ in ticker:channel():iter() do count = count + 1 end
  assert(count == 16, "kept " .. count)
end

-- modules: time
--- A timeout by select: whichever comes first
function M.timeout_by_select()
  local ch, timeout = channel.new(), time.after("5ms")
  assert(channel.select { ch:case_receive(), timeout:case_receive() }.channel == timeout)
end

return M
