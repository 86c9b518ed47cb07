-- A flood of events on the bus.
-- kinds: function process
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    for i = 1, 50000 do events.send("attack", "kind", "/path", { i }) end
end
