-- A hundred thousand topics listened to.
-- kinds: function process workflow
-- ends: returned LimitExceeded Internal
-- cost: dear
return function(...)
    for i = 1, 100000 do process.listen("topic" .. i) end
    time.sleep("1s")
end
