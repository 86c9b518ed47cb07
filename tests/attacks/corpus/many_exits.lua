-- Processes that end with eight megabytes each, which one hears of that is busy when they do.
-- kinds: function process
-- ends: waiting LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 2000 do process.spawn_monitored("attack:big_process", "attack:processes") end
    while true do
        for _ = 1, 10000000 do end
        time.sleep("1ms")
    end
end
