-- table.sort with a __len that lies.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local t = setmetatable({}, { __len = function() return 1 << 60 end, __index = function() return 0 end, __newindex = function() end })
    while true do pcall(function() table.sort(t) end) end
end
