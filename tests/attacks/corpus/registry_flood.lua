-- Requests for entries, twenty thousand at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    for i = 1, 20000 do coroutine.spawn(function() registry.get("attack:one") end) end
    time.sleep("1s")
end
