-- Many closers, each with a loop.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local function f(n)
        local _ <close> = setmetatable({}, { __close = function() for _ = 1, 1e9 do end end })
        if n > 0 then f(n - 1) end
    end
    f(100)
end
