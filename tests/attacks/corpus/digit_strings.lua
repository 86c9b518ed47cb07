-- Arithmetic on strings of digits.
-- kinds: function process workflow
-- ends: LimitExceeded Internal
-- cost: dear
return function(...)
    local digits = ("9"):rep(199) 
    while true do local _ = digits + 1 end
end
