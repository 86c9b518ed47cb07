-- Ten thousand subscriptions, and events for all of them.
-- kinds: function process
-- ends: returned LimitExceeded Internal
-- cost: dear
-- memory: many
return function(...)
    for i = 1, 10000 do events.subscribe("attack") end
    for i = 1, 1000 do events.send("attack", "kind", "/path", { i }) end
end
