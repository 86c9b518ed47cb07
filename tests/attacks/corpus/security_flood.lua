-- Questions of rights, twenty thousand at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    for i = 1, 20000 do coroutine.spawn(function() security.can("act", "on" .. i) end) end
    time.sleep("1s")
end
