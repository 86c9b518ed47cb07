-- Forty calls that have the host read and write JSON all the time.
-- kinds: function process
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 40 do funcs.async("attack:encoding") end
    time.sleep("3s")
end
