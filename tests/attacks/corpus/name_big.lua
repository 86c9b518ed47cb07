-- A __name of megabytes in each message of an error.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local t = setmetatable({}, { __name = ("x"):rep(10000000) })
    while true do pcall(function() return t + 1 end) end
end
