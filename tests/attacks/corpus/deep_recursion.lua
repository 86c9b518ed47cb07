-- Calls without an end.
-- kinds: function process workflow
-- ends: LimitExceeded Internal Internal
-- cost: cheap
return function(...)
    local function f(n) return 1 + f(n + 1) end
    return f(1)
end
