-- Handlers that raise, in each other.
-- kinds: function process workflow
-- ends: LimitExceeded Internal
-- cost: dear
return function(...)
    local function handler() error("again") end
    while true do xpcall(error, handler, "x") end
end
