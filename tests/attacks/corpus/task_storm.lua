-- As many tasks as there is room for.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    while true do coroutine.spawn(function() time.sleep("1h") end) end
end
