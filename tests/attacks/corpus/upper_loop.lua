-- Native functions over megabytes, again and again.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local text = ("x"):rep(20000000)
    while true do local _ = text:upper():reverse():byte(-1) end
end
