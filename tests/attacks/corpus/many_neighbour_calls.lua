-- Twenty thousand calls of the function that the neighbour calls.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    local futures = {}
    for i = 1, 20000 do futures[i] = funcs.async("attack:neighbour", i) end
    for i = 1, 20000 do futures[i]:response():receive() end
end
