-- table.insert with a __len that lies.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: cheap
return function(...)
    local t = setmetatable({}, { __len = function() return 1 << 60 end, __index = function() return 0 end, __newindex = function() end })
    while true do pcall(function() table.insert(t, 1, 0) end) end
end
