-- A flood of messages to a mailbox that nobody reads.
-- kinds: function process
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    local pid = process.spawn("attack:deaf", "attack:processes")
    local text = ("x"):rep(1000)
    for _ = 1, 100000 do process.send(pid, "flood", text) end
end
