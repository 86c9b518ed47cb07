-- JSON of a hundred thousand brackets.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    while true do json.decode(("["):rep(100000)) end
end
