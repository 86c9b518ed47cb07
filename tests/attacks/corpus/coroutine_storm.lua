-- As many coroutines as there is room for.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local t = {}
    while true do t[#t + 1] = coroutine.create(function() coroutine.yield() end) coroutine.resume(t[#t]) end
end
