-- pcall in pcall, without an end.
-- kinds: function process workflow
-- ends: returned LimitExceeded Internal
-- cost: cheap
return function(...)
    local function f() pcall(f) end
    f()
end
