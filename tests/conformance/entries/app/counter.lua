-- Adds up what it is sent, and answers "total" with the sum, until it is cancelled.
return function(sum)
  local inbox, events = process.inbox(), process.events()
  while true do
    local got = channel.select { inbox:case_receive(), events:case_receive() }
    if got.channel == events then return sum end
    local msg = got.value
    if msg:topic() == "total" then
      process.send(msg:from(), "total", sum)
    else
      sum = sum + msg:payload():data()
    end
  end
end
