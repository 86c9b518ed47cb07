-- A hundred thousand names for one unit.
-- kinds: function process
-- ends: returned LimitExceeded Internal
-- cost: dear
return function(...)
    for i = 1, 100000 do process.registry.register("attack." .. i) end
end
