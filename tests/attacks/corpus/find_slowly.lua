-- Searches with a regular expression that costs as much as it may, two thousand at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    local filter = { ["~meta.comment"] = "(a|b|c)*d{1,20}(e|f)*g" }
    for _ = 1, 2000 do coroutine.spawn(function() registry.find(filter) end) end
    time.sleep("3s")
end
