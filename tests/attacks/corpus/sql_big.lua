-- Answers that are large, and values that a few words make large, many at once.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: cheap
-- memory: many
return function(...)
    local db = assert(sql.get("attack:database"))
    local done = channel.new(30)
    for _, text in ipairs {
        "SELECT zeroblob(30000000) AS b", "SELECT replace(hex(zeroblob(9000000)), '00', 'xxxxxx') AS b",
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT n, n, n FROM s",
    } do
        for _ = 1, 10 do coroutine.spawn(function() db:query(text) done:send(true) end) end
    end
    for _ = 1, 30 do done:receive() end
end
