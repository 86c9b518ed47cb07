-- JSON with a number of a million digits.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    while true do json.decode(("9"):rep(1000000)) end
end
