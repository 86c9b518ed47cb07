-- Transactions that nobody ends, as many as a unit may hold and more.
-- kinds: function process
-- ends: returned
-- cost: dear
return function(...)
    local db = assert(sql.get("attack:database"))
    for _ = 1, 100 do
        coroutine.spawn(function()
            local tx = db:begin({ read_only = true })
            if tx then tx:query("SELECT 1") end
        end)
    end
    time.sleep("1s")
end
