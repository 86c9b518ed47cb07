-- The same in the arguments of a process.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid returned Internal
-- cost: dear
return function(...)
    local text, shared = ("x"):rep(1000000), {}
    for i = 1, 2000 do shared[i] = text end
    process.spawn("attack:brief", "attack:processes", shared)
end
