-- Requests for variables, twenty thousand at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    for i = 1, 20000 do coroutine.spawn(function() env.get("attack:variable") end) end
    time.sleep("1s")
end
