-- string.rep of everything.
-- kinds: function process workflow
-- ends: LimitExceeded Internal Invalid
-- cost: cheap
return function(...)
    return #(("x"):rep(1 << 40))
end
