--- 6 Channels and select
local M = {}

--- An unbuffered send waits for its receive
function M.unbuffered()
  local ch, gate, log = channel.new(), channel.new(), {}
  coroutine.spawn(function()
    log[#log + 1] = "sending"
    assert(ch:send("x") == true)
    log[#log + 1] = "sent"
    gate:send(true)
  end)
  coroutine.spawn(function() gate:send(true) end)
  gate:receive()
  assert(table.concat(log, " ") == "sending", "send returned without a receiver")
  local value, ok = ch:receive()
  assert(value == "x" and ok == true)
  gate:receive()
  assert(table.concat(log, " ") == "sending sent")
end

--- A buffered send returns at once until the buffer is full
function M.buffered()
  local ch, sent = channel.new(2), 0
  coroutine.spawn(function()
    for i = 1, 4 do
      ch:send(i)
      sent = sent + 1
    end
  end)
  local first = ch:receive()
  assert(first == 1 and sent >= 2)
  for i = 2, 4 do assert(ch:receive() == i) end
end

--- channel.new takes a whole number of at least 0; anything else raises
function M.new_misuse()
  assert(type(channel.new(0)) == "userdata" and type(channel.new(3)) == "userdata" and type(channel.new(2.0)) == "userdata")
  for _, wrong in ipairs { -1, 1.5, "x", {}, true } do assert(not pcall(channel.new, wrong), tostring(wrong)) end
end

--- nil can be sent: receive gives nil, true
function M.nil_is_a_value()
  local ch = channel.new(1)
  ch:send(nil)
  local value, ok = ch:receive()
  assert(value == nil and ok == true)
  coroutine.spawn(function() ch:send(nil) end)
  value, ok = ch:receive()
  assert(value == nil and ok == true)
end

--- Any value passes through a channel unchanged: tables are shared within a unit
function M.values_are_shared()
  local ch, t = channel.new(1), {}
  ch:send(t)
  assert(ch:receive() == t)
end

--- Closed and drained: nil, false; buffered values stay receivable
function M.close_keeps_the_buffer()
  local ch = channel.new(3)
  ch:send(1)
  ch:send(2)
  ch:close()
  local value, ok = ch:receive()
  assert(value == 1 and ok == true)
  value, ok = ch:receive()
  assert(value == 2 and ok == true)
  for _ = 1, 2 do
    value, ok = ch:receive()
    assert(value == nil and ok == false)
  end
end

--- Sending on a closed channel raises `send on closed channel`
function M.send_on_closed()
  local ch = channel.new(1)
  ch:close()
  local ok, why = pcall(ch.send, ch, 1)
  assert(not ok and string.find(why, "send on closed channel"), tostring(why))
end

--- Closing twice is a no-op
function M.close_twice()
  local ch = channel.new()
  ch:close()
  ch:close()
end

--- Closing wakes blocked receivers with nil, false
function M.close_wakes_receivers()
  local ch, got = channel.new(), channel.new(2)
  for _ = 1, 2 do
    coroutine.spawn(function()
      local value, ok = ch:receive()
      got:send({ value == nil, ok })
    end)
  end
  coroutine.spawn(function() ch:close() end)
  for _ = 1, 2 do
    local result = got:receive()
    assert(result[1] and result[2] == false)
  end
end

--- Closing gives blocked senders an error
function M.close_fails_senders()
  local ch, got = channel.new(), channel.new(1)
  coroutine.spawn(function() got:send({ pcall(ch.send, ch, 1) }) end)
  coroutine.spawn(function() ch:close() end)
  local result = got:receive()
  assert(result[1] == false and string.find(result[2], "send on closed channel"))
end

--- Blocked receivers and senders are served in the order in which they came
function M.fairness()
  local ch, log, done = channel.new(), {}, channel.new(3)
  for i = 1, 3 do
    coroutine.spawn(function()
      local value = ch:receive()
      log[#log + 1] = i .. value
      done:send(true)
    end)
  end
  coroutine.spawn(function() for _, v in ipairs { "a", "b", "c" } do ch:send(v) end end)
  for _ = 1, 3 do done:receive() end
  assert(table.concat(log, " ") == "1a 2b 3c", table.concat(log, " "))
end

--- iter() yields received values until close
function M.iter()
  local ch, got = channel.new(), {}
  coroutine.spawn(function()
    for i = 1, 3 do ch:send(i) end
    ch:close()
  end)
  for value in ch:iter() do got[#got + 1] = value end
  assert(table.concat(got) == "123")
end

--- select takes the lowest ready index
function M.select_is_deterministic()
  local a, b = channel.new(1), channel.new(1)
  for _ = 1, 5 do
    a:send("a")
    b:send("b")
    local got = channel.select { b:case_receive(), a:case_receive() }
    assert(got.channel == b and got.value == "b" and got.ok == true)
    assert(a:receive() == "a")
  end
end

--- select blocks until a case is ready, and leaves no waiter behind
function M.select_blocks()
  local a, b = channel.new(), channel.new()
  coroutine.spawn(function() b:send("from b") end)
  local got = channel.select { a:case_receive(), b:case_receive() }
  assert(got.channel == b and got.value == "from b" and got.ok == true and got.default == nil)
  coroutine.spawn(function() a:send("direct") end)
  assert(a:receive() == "direct", "the select still waits on a")
end

--- A default, in the list or as second argument, does not wait: {default = true, ok = true}
function M.select_default()
  local ch = channel.new()
  for _, got in ipairs { channel.select { ch:case_receive(), default = true }, channel.select({ ch:case_receive() }, true) } do
    assert(got.default == true and got.ok == true and got.channel == nil and got.value == nil)
  end
  local ready = channel.new(1)
  ready:send(1)
  assert(channel.select { ready:case_receive(), default = true }.value == 1)
end

--- A closed receive case: ok = false, value = nil
function M.select_closed()
  local ch = channel.new()
  ch:close()
  local got = channel.select { ch:case_receive() }
  assert(got.channel == ch and got.value == nil and got.ok == false)
end

--- A send case: value is what was sent
function M.select_send()
  local ch = channel.new(1)
  local got = channel.select { ch:case_send("x") }
  assert(got.channel == ch and got.value == "x" and got.ok == true)
  coroutine.spawn(function() assert(ch:receive() == "x" and ch:receive() == "y") end)
  got = channel.select { ch:case_send("y") }
  assert(got.channel == ch and got.value == "y")
  ch:close()
  assert(not pcall(channel.select, { ch:case_send("z") }))
end

--- One channel may stand in several cases
function M.select_same_channel_twice()
  local ch = channel.new(1)
  local got = channel.select { ch:case_receive(), ch:case_send(1) }
  assert(got.value == 1 and ch:receive() == 1)
end

--- A bad case raises
function M.select_misuse()
  local ch = channel.new()
  for _, wrong in ipairs { { 1 }, { ch }, { "x" }, { {} }, { ch:case_receive(), false } } do
    assert(not pcall(channel.select, wrong))
  end
  assert(not pcall(channel.select) and not pcall(channel.select, "x"))
end

-- modules: time funcs
--- result.channel == ch, also for timers, tickers, futures and the inbox
function M.identity()
  local timer, ticker = time.timer("5ms"), time.ticker("5ms")
  assert(timer:response() == timer:channel() and ticker:response() == ticker:channel())
  assert(channel.select { timer:response():case_receive() }.channel == timer:channel())
  assert(channel.select { ticker:response():case_receive() }.channel == ticker:channel())
  ticker:stop()
  local future = funcs.async("conf.units:echo", 1)
  assert(future:response() == future:channel())
  assert(channel.select { future:channel():case_receive() }.channel == future:response())
  process.send(process.pid(), "x")
  assert(channel.select { process.inbox():case_receive() }.channel == process.inbox())
end

-- modules: time
--- select over the inbox, a topic, events and a timer takes what comes
function M.select_over_everything()
  local inbox, topic, events, timer = process.inbox(), process.listen("t"), process.events(), time.after("1h")
  local cases = { inbox:case_receive(), topic:case_receive(), events:case_receive(), timer:case_receive() }
  process.send(process.pid(), "t", 7)
  local got = channel.select(cases)
  assert(got.channel == topic and got.value == 7)
  process.send(process.pid(), "other", 8)
  got = channel.select(cases)
  assert(got.channel == inbox and got.value:payload():data() == 8)
  process.cancel(process.pid(), "enough")
  got = channel.select(cases)
  assert(got.channel == events and got.value.kind == "pid.cancel" and got.value.reason == "enough")
end

--- Channels do not cross units: they become nil
function M.channels_do_not_cross()
  process.send(process.pid(), "x", { ch = channel.new(), n = 1 })
  local data = process.inbox():receive():payload():data()
  assert(data.ch == nil and data.n == 1)
end

--- A channel is userdata and refuses calls without `:`
function M.channel_objects()
  local ch = channel.new(1)
  assert(type(ch) == "userdata" and not pcall(ch.receive) and not pcall(ch.send, {}, 1))
  assert(not pcall(function() ch.mine = 1 end))
end

return M
