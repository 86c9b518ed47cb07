-- gsub that grows what it reads.
-- kinds: function process workflow
-- ends: LimitExceeded Internal Invalid
-- cost: cheap
return function(...)
    local text = "xxxxxxxxxx"
    while true do text = text:gsub("x", "xxxxxxxxxx") end
end
