-- Lists a store of large values, many pages at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
-- memory: many
return function(...)
    local cache = assert(store.get("attack:table"))
    for i = 1, 100 do cache:set("k" .. i, ("x"):rep(100000)) end
    local done = channel.new(50)
    for _ = 1, 50 do coroutine.spawn(function() cache:list() done:send(true) end) end
    for _ = 1, 50 do done:receive() end
end
