-- Messages to itself, never read.
-- kinds: process
-- ends: LimitExceeded waiting
-- cost: dear
return function(...)
    while true do process.send(process.pid(), "self", ("x"):rep(1000)) end
end
