-- next over a table that was large and is empty.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local t = {}
    for i = 1, 500000 do t["k" .. i] = true end
    for i = 1, 500000 do t["k" .. i] = nil end
    while true do next(t) end
end
