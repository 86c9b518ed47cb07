-- Asks whose schema doubles with each step down, and asks that fill what a run may ask.
-- kinds: workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local parts = { d31 = { type = "string" } }
    for i = 0, 30 do
        local next_one = { ["$ref"] = "#/$defs/d" .. i + 1 }
        parts["d" .. i] = { allOf = { next_one, next_one } }
    end
    for i = 1, 1000 do process.listen("text" .. i, { ask = { text = string.rep("x", 60000) } }) end
    for i = 1, 1000 do process.listen("go", { ask = { schema = { ["$ref"] = "#/$defs/d0", ["$defs"] = parts } } }) end
end
