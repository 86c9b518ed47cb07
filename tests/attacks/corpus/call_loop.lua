-- Calls in turn for ever.
-- kinds: function process
-- ends: waiting LimitExceeded
-- cost: dear
return function(...)
    while true do funcs.call("attack:one") end
end
