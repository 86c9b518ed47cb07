-- Each process spawns the next, for ever.
-- kinds: process
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    process.spawn("attack:attack", "attack:processes")
    process.spawn("attack:attack", "attack:processes")
    time.sleep("5s")
end
