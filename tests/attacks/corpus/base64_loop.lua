-- base64 of megabytes, again and again.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal
-- cost: dear
return function(...)
    local text = ("x"):rep(10000000)
    while true do local value, why = base64.encode(text) if why then error(why) end end
end
