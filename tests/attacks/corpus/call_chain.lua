-- Each function calls itself.
-- kinds: function
-- ends: LimitExceeded returned Internal Internal Invalid waiting
-- cost: dear
-- memory: many
return function(...)
    return funcs.call("attack:attack")
end
