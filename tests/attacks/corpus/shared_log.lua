-- The same in a log line.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid returned Internal
-- cost: cheap
return function(...)
    local text, shared = ("x"):rep(1000000), {}
    for i = 1, 2000 do shared[i] = text end
    logger:info("all", { shared = shared })
end
