-- A chain of two thousand __index, walked by one instruction.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local top = {}
    for _ = 1, 1990 do top = setmetatable({}, { __index = top }) end
    local sum = 0
    while true do sum = top.nothing end
end
