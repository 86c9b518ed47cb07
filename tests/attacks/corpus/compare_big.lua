-- Comparing strings of thirty megabytes.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local a = ("x"):rep(30000000) .. "a"
    local b = ("x"):rep(30000000) .. "b"
    local n = 0
    while true do if a < b then n = n + 1 end end
end
