-- Searches that find all of the registry, two thousand at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    for _ = 1, 2000 do coroutine.spawn(function() registry.find({ [".id"] = "*" }) end) end
    time.sleep("3s")
end
