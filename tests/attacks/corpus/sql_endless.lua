-- Statements that never end, more than the database has connections.
-- kinds: function process
-- ends: returned
-- cost: cheap
return function(...)
    local db = assert(sql.get("attack:database"))
    for _ = 1, 30 do
        coroutine.spawn(function()
            db:query("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT count(*) FROM s")
        end)
    end
    time.sleep("500ms")
end
