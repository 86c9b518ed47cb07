-- Twenty thousand calls at once of one function.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    local futures = {}
    for i = 1, 20000 do futures[i] = funcs.async("attack:one") end
    for i = 1, 20000 do futures[i]:response():receive() end
end
