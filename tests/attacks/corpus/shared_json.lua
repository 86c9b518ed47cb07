-- The same, encoded.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal returned Internal
-- cost: cheap
return function(...)
    local text, shared = ("x"):rep(1000000), {}
    for i = 1, 2000 do shared[i] = text end
    local text, why = json.encode(shared)
    if why then error(why) end
    return #text
end
