-- A loop without an end.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: cheap
return function(...)
    while true do end
end
