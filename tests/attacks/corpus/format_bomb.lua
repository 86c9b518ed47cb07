-- string.format of wide fields.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local f = ("%99d"):rep(10000)
    local n = {}
    for i = 1, 10000 do n[i] = i end
    while true do pcall(function() return #f:format(table.unpack(n, 1, 10000)) end) end
end
