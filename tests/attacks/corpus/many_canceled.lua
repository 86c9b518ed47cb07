-- Calls with eight megabytes of arguments each, canceled while they wait for their turn.
-- kinds: function process
-- ends: returned
-- cost: dear
return function(...)
    local text = ("x"):rep(8000000)
    for _ = 1, 16 do funcs.async("attack:slow") end
    for _ = 1, 200 do
        local future = funcs.async("attack:slow", text)
        time.sleep("1ms")
        future:cancel()
    end
end
