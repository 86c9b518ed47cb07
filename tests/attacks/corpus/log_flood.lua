-- A flood of log lines.
-- kinds: function process workflow
-- ends: returned LimitExceeded
-- cost: dear
return function(...)
    for i = 1, 100000 do logger:info("line", { i = i }) end
end
