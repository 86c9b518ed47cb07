-- A table that grows for ever.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: cheap
return function(...)
    local t = {}
    while true do t[#t + 1] = ("x"):rep(100000) .. #t end
end
