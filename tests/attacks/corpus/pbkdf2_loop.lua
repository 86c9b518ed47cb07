-- Slow hashes, again and again.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal
-- cost: dear
return function(...)
    while true do local _, why = crypto.pbkdf2("password", ("x"):rep(1000), 100000, 64) if why then error(why) end end
end
