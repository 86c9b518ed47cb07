-- string.rep as large as it may be, again and again.
-- kinds: function process workflow
-- ends: LimitExceeded Internal
-- cost: dear
return function(...)
    while true do local _ = ("x"):rep(30000000) end
end
