-- The same in a message.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid returned Internal
-- cost: dear
return function(...)
    local text, shared = ("x"):rep(1000000), {}
    for i = 1, 2000 do shared[i] = text end
    process.send(process.pid(), "self", shared)
end
