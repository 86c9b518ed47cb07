-- The same as details of an error.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal Unknown returned
-- cost: dear
return function(...)
    local text, shared = ("x"):rep(1000000), {}
    for i = 1, 2000 do shared[i] = text end
    error(errors.new({ message = "all", details = shared }))
end
