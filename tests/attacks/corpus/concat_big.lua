-- Concatenating strings of thirty megabytes.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local a = ("x"):rep(30000000)
    while true do local _ = a .. "b" end
end
