-- A __len that is small when it is checked, and huge when it counts.
-- kinds: function process workflow
-- ends: LimitExceeded Internal
-- cost: dear
return function(...)
    local n = 0
    local t = setmetatable({}, { __len = function() n = n + 1 return n % 2 == 1 and 3 or 1 << 60 end })
    while true do pcall(table.insert, t, 1, 0) pcall(table.remove, t, 1) end
end
