-- Passing on two hundred thousand values.
-- kinds: function process workflow
-- ends: LimitExceeded Internal Invalid
-- cost: dear
return function(...)
    local t = {}
    for i = 1, 200000 do t[i] = i end
    local function g(...) return ... end
    local function f(...) while true do g(g(g(...))) end end
    return f(table.unpack(t))
end
