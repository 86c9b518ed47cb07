-- Thirty thousand processes that end at once.
-- kinds: function process
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 30000 do process.spawn("attack:brief", "attack:processes") end
end
