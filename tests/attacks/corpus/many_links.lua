-- Processes, all linked to each other by who spawned them, that end together.
-- kinds: process
-- ends: Internal returned
-- cost: dear
-- memory: many
return function(...)
    local pids = {}
    for i = 1, 1000 do pids[i] = process.spawn_linked_monitored("attack:idle", "attack:processes") end
    error("all")
end
