-- JSON of millions of values.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal
-- cost: dear
return function(...)
    local text = "[" .. ("1,"):rep(5000000) .. "1]"
    while true do local value, why = json.decode(text) if why then error(why) end end
end
