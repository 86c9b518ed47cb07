-- Answers without end and bombs, two hundred at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: cheap
-- memory: many
return function(...)
    local url = assert(env.get("ATTACKED"))
    local done = channel.new(200)
    for i = 1, 200 do
        local path = i % 2 == 0 and "/endless_body" or "/bomb"
        coroutine.spawn(function() http_client.get(url .. path, { timeout = 2 }) done:send(true) end)
    end
    for _ = 1, 200 do done:receive() end
end
