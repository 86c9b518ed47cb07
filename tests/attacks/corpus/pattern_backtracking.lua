-- A pattern that tries for ever.
-- kinds: function process workflow
-- ends: LimitExceeded Internal returned
-- cost: cheap
return function(...)
    return ("a"):rep(3000):find((".-"):rep(20) .. "b")
end
