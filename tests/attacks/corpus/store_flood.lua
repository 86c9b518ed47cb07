-- Fills the memory of a store, from many tasks at once, with ever new keys.
-- kinds: function process
-- ends: returned
-- cost: cheap
-- memory: many
return function(...)
    local cache, value, refused = assert(store.get("attack:store")), ("x"):rep(100000), 0
    local done = channel.new(20)
    for task = 1, 20 do
        coroutine.spawn(function()
            for i = 1, 50 do
                local _, err = cache:set(task .. ":" .. i, value, 3600)
                if err then refused = refused + 1 end
            end
            done:send(true)
        end)
    end
    for _ = 1, 20 do done:receive() end
    assert(refused > 500, refused)
end
