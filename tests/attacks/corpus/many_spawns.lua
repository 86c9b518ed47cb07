-- Thirty thousand processes that wait.
-- kinds: function process
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 30000 do process.spawn("attack:idle", "attack:processes") end
end
