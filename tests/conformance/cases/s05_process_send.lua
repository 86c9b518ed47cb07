--- 5.1 Identity, send, receive
local M = {}

--- A message that arrives before inbox() is not lost
function M.early_message_is_kept()
  assert(process.send(process.pid(), "early", 1))
  assert(process.send(process.pid(), "early", 2))
  local inbox = process.inbox()
  for i = 1, 2 do
    local msg, ok = inbox:receive()
    assert(ok and msg:payload():data() == i, "order")
    assert(msg:topic() == "early", "topic")
    assert(msg:from() == process.pid(), "sender")
  end
end

--- process.inbox() and process.events() are the same channel each time
function M.same_channel_each_time()
  assert(process.inbox() == process.inbox())
  assert(process.events() == process.events())
end

return M
