-- Calls with eight megabytes of arguments each, which wait for their turn.
-- kinds: function process
-- ends: returned
-- cost: dear
return function(...)
    local text = ("x"):rep(8000000)
    for _ = 1, 200 do
        funcs.async("attack:slow", text)
        time.sleep("1ms")
    end
end
