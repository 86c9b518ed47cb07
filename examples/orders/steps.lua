-- Stand-ins for real services: they take their time, say what they did, and fail where the order says so.
local time = require("time")

local steps = {}

-- Do one step of an order: the table that `result` makes, or {error = ...}.
function steps.perform(order, step: string, did: string, result)
    time.sleep(order.step_delay or "100ms")
    if order.fail_at == step then
        print("refused " .. step .. " of " .. order.order_id)
        return {error = step .. " refused order " .. order.order_id}
    end
    print(did .. " " .. order.order_id)
    return result
end

return steps
