-- Requests to a peer that never answers, streams that nobody closes.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: cheap
return function(...)
    local url = assert(env.get("ATTACKED"))
    for _ = 1, 500 do coroutine.spawn(function() http_client.get(url .. "/hung", { timeout = 600 }) end) end
    for _ = 1, 100 do coroutine.spawn(function() http_client.get(url .. "/tiny_chunks", { stream = true }) end) end
    time.sleep("500ms")
end
