-- __tostring, __name and __pairs that never end.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local t = setmetatable({}, { __tostring = function() while true do end end, __name = ("x"):rep(10000000), __pairs = function() while true do end end })
    while true do pcall(tostring, t) pcall(pairs, t) pcall(error, t) end
end
