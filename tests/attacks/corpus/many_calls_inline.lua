-- Twenty thousand calls at once of a function without a pool, each of a second.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 20000 do funcs.async("attack:inline") end
    time.sleep("3s")
end
