-- Thirty thousand processes, spawned by as many tasks in one step.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 30000 do coroutine.spawn(function() process.spawn("attack:idle", "attack:processes") end) end
    time.sleep("5s")
end
