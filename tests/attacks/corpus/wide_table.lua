-- A table of millions of entries, as a result.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid returned
-- cost: dear
return function(...)
    local t = {}
    for i = 1, 3000000 do t[i] = i end
    return t
end
