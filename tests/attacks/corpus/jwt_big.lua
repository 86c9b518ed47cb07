-- Tokens of megabytes, again and again.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal
-- cost: dear
return function(...)
    local text = ("x"):rep(5000000)
    while true do local _, why = crypto.jwt.encode({ text = text }, "secret") if why then error(why) end end
end
