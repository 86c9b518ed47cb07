-- A __close that never ends.
-- kinds: function process workflow
-- ends: LimitExceeded Internal
-- cost: dear
return function(...)
    while true do
        local _ <close> = setmetatable({}, { __close = function() while true do end end })
        error("x")
    end
end
