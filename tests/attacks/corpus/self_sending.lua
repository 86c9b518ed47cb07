-- Sending itself the next message for ever.
-- kinds: process
-- ends: waiting LimitExceeded
-- cost: dear
return function(...)
    local inbox = process.inbox()
    process.send(process.pid(), "on")
    while true do inbox:receive() process.send(process.pid(), "on") process.send(process.pid(), "on") end
end
