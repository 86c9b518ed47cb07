-- Coroutines in coroutines, without an end.
-- kinds: function process workflow
-- ends: LimitExceeded Internal Internal
-- cost: cheap
return function(...)
    local function f() coroutine.wrap(f)() end
    f()
end
