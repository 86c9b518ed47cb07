-- Ten thousand calls whose results take eight megabytes each, by a function that is busy when they come.
-- kinds: function process
-- ends: waiting LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 10000 do funcs.async("attack:big") end
    while true do
        for _ = 1, 10000000 do end
        time.sleep("1ms")
    end
end
