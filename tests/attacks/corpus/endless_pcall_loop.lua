-- Catching the end of a budget.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    while true do pcall(function() while true do end end) end
end
