-- A thousand records of a megabyte each in one step.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid returned Internal
-- cost: dear
return function(...)
    local text = ("x"):rep(1000000)
    for _ = 1, 1000 do funcs.async("attack:one", text) end
end
