-- Messages of a megabyte to a mailbox that nobody reads.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    local pid = process.spawn("attack:deaf", "attack:processes")
    local text = ("x"):rep(1000000)
    for _ = 1, 10000 do process.send(pid, "flood", text) end
end
