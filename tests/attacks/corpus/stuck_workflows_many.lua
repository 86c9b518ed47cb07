-- A hundred workflows that never end.
-- kinds: workflow
-- ends: returned
-- cost: dear
-- memory: many
return function(...)
    for _ = 1, 100 do process.spawn("attack:stuck_workflow", "attack:worker") end
    time.sleep("5s")
end
