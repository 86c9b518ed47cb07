-- string.pack of wide fields.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local f = ("!16i16"):rep(50000)
    while true do pcall(string.pack, f) pcall(string.packsize, f) end
end
