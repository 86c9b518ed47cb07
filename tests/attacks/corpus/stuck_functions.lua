-- Thirty-two functions that never end.
-- kinds: function process
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 32 do funcs.async("attack:stuck") end
    time.sleep("3s")
end
