--- 5.1 Identity, send, receive
local M = {}

local function to_self(topic, ...)
  assert(process.send(process.pid(), topic, ...))
end

--- A message that arrives before inbox() is not lost
function M.early_message_is_kept()
  to_self("early", 1)
  to_self("early", 2)
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
  assert(process.listen("t") == process.listen("t"))
  assert(process.inbox() ~= process.events())
end

--- send returns true
function M.send_returns_true()
  local ok, err = process.send(process.pid(), "t")
  assert(ok == true and err == nil)
end

--- An empty topic is Invalid: topic cannot be empty; returned, not raised
function M.empty_topic()
  local ok, err = process.send(process.pid(), "")
  assert(not ok and err:kind() == "Invalid" and err:message() == "topic cannot be empty")
  ok, err = process.listen("")
  assert(not ok and err:kind() == "Invalid" and err:message() == "topic cannot be empty")
end

--- A topic that begins with @ is Invalid: cannot send to @ topics, cannot listen to @ topics
function M.at_topics()
  local ok, err = process.send(process.pid(), "@pid/x")
  assert(not ok and err:kind() == "Invalid" and err:message() == "cannot send to @ topics")
  ok, err = process.listen("@x")
  assert(not ok and err:kind() == "Invalid" and err:message() == "cannot listen to @ topics")
end

--- Wrong types of arguments raise
function M.misuse_raises()
  assert(not pcall(process.send, nil, "t"))
  assert(not pcall(process.send, process.pid(), nil))
  assert(not pcall(process.send, process.pid(), {}))
  assert(not pcall(process.listen, 7))
end

--- A message goes to the listener of its topic, else to the inbox
function M.listener_before_inbox()
  local inbox, news = process.inbox(), process.listen("news")
  to_self("news", "for the listener")
  to_self("other", "for the inbox")
  assert(news:receive() == "for the listener")
  assert(inbox:receive():payload():data() == "for the inbox")
end

--- Messages of a topic that came before listen() are kept, in order, and the others left
function M.backlog_goes_to_the_listener()
  to_self("a", 1)
  to_self("b", 2)
  to_self("a", 3)
  local a = process.listen("a")
  assert(a:receive() == 1 and a:receive() == 3)
  local msg = process.inbox():receive()
  assert(msg:topic() == "b" and msg:payload():data() == 2)
end

--- After unlisten the topic falls back to the inbox
function M.unlisten_falls_back()
  local ch = process.listen("t")
  to_self("t", 1)
  assert(ch:receive() == 1)
  assert(process.unlisten(ch) == true)
  local value, ok = ch:receive()
  assert(value == nil and ok == false, "the channel is closed")
  to_self("t", 2)
  assert(process.inbox():receive():payload():data() == 2)
  local again = process.listen("t")
  assert(again ~= ch)
  to_self("t", 3)
  assert(again:receive() == 3)
end

--- unlisten of what is no listen channel: false or nil, and an error
function M.unlisten_of_another_channel()
  for _, ch in ipairs { channel.new(), process.inbox(), process.events() } do
    local ok, err = process.unlisten(ch)
    assert(not ok and type(err) == "userdata")
  end
end

--- The raw form: one payload is its value, several are an array, none is nil
function M.raw_payloads()
  local ch = process.listen("t")
  to_self("t", "one")
  to_self("t", "one", 2, false)
  to_self("t")
  assert(ch:receive() == "one")
  local list = ch:receive()
  assert(#list == 3 and list[1] == "one" and list[2] == 2 and list[3] == false)
  local value, ok = ch:receive()
  assert(value == nil and ok == true)
end

--- listen(topic, {message = true}) gives Messages
function M.listen_for_messages()
  local ch = process.listen("t", { message = true })
  to_self("t", "x")
  local msg = ch:receive()
  assert(msg:topic() == "t" and msg:from() == process.pid() and msg:payload():data() == "x")
end

--- listen(topic, {ask = {...}}) listens all the same, whatever the unit
function M.listen_with_an_ask()
  local ch = process.listen("t", { ask = { title = "Go?", payloads = { Yes = { go = true }, No = { go = false } }, due = "4h" } })
  to_self("t", { go = true })
  assert(ch:receive().go and process.listen("t", { ask = { text = "Once more?" } }) == ch)
end

-- on: workflow
--- listen with a wrong ask: nil and an Invalid error that names the field
function M.listen_with_a_wrong_ask()
  local ch, err = process.listen("t", { ask = { title = "Go?", due = "soon" } })
  assert(ch == nil and err:kind() == "Invalid" and err:message():find("ask.due: must be a duration", 1, true))
end

--- A message's payload: a Payload, a list of them when several, nil when none
function M.message_payload()
  local inbox = process.inbox()
  to_self("t", { n = 1 })
  to_self("t", 1, 2)
  to_self("t")
  assert(inbox:receive():payload():data().n == 1)
  local list = inbox:receive():payload()
  assert(#list == 2 and list[1]:data() == 1 and list[2]:data() == 2)
  assert(inbox:receive():payload() == nil)
end

--- Unknown fields of a message read its first payload; methods win over payload keys
function M.message_fields()
  local inbox = process.inbox()
  to_self("decision", { approved = true, order = { id = 7 }, topic = "mine", from = "me" }, "second")
  local msg = inbox:receive()
  assert(msg.approved == true and msg.order.id == 7 and msg.nothing == nil)
  assert(msg:topic() == "decision" and type(msg.topic) == "function" and msg:from() == process.pid())
  to_self("text", "just text")
  local plain = inbox:receive()
  assert(plain.approved == nil)
end

--- A message is userdata, and its text is process.Message{topic=...}
function M.message_text()
  to_self("greeting", 1)
  local msg = process.inbox():receive()
  assert(type(msg) == "userdata")
  assert(tostring(msg) == "process.Message{topic=greeting}", tostring(msg))
end

--- Messages of one sender arrive in order
function M.order_of_one_sender()
  local ch = process.listen("n")
  for i = 1, 50 do to_self("n", i) end
  for i = 1, 50 do assert(ch:receive() == i) end
end

-- on: function process
--- A reply to msg:from() reaches the sender
function M.replies(env)
  local pid = assert(process.spawn("conf.actors:echo", env.process_host))
  assert(process.send(pid, "ask", "a", { b = 1 }))
  local answer = process.listen("answer"):receive()
  assert(answer.topic == "ask" and answer.first == "a" and answer.second.b == 1 and answer.pid == pid)
end

-- on: function process
--- A name can be sent to
function M.send_to_a_name(env)
  local pid = assert(process.with_options({}):with_name("conf5 send " .. env.kind):spawn("conf.actors:echo", env.process_host))
  assert(process.send("conf5 send " .. env.kind, "ask", 1))
  assert(process.listen("answer"):receive().pid == pid)
end

return M
