-- Two hundred calls of ten functions that never end.
-- kinds: function process
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    for i = 1, 200 do funcs.async("attack:stuck_" .. i % 10) end
    time.sleep("3s")
end
