-- select over two hundred thousand values.
-- kinds: function process workflow
-- ends: LimitExceeded Internal Invalid
-- cost: dear
return function(...)
    local t = {}
    for i = 1, 200000 do t[i] = i end
    local function f(...) local n = 0 for i = 1, 1e9 do n = n + select("#", select(2, ...)) end return n end
    return f(table.unpack(t))
end
