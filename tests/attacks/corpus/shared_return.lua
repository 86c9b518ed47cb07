-- One string, two thousand times in the result: small in Lua, gigabytes elsewhere.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid
-- cost: cheap
return function(...)
    local text, shared = ("x"):rep(1000000), {}
    for i = 1, 2000 do shared[i] = text end
    return shared
end
