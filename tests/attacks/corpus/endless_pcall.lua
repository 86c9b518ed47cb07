-- Catching each error, for ever.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: cheap
return function(...)
    while true do pcall(error, "again") end
end
