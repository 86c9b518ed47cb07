-- A hundred thousand timers.
-- kinds: function process workflow
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    for i = 1, 100000 do time.after("1s") end
    time.sleep("2s")
end
