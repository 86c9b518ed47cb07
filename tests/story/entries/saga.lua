-- Three steps in order, of which `charge` takes `delay`; what each did is in the worker's log.
local funcs = require("funcs")

local function main(order)
    local done = {}
    for _, step in ipairs({"reserve", "charge", "ship"}) do
        local name, err = funcs.call(order.performer or "story:perform", order.id, step, step == "charge" and order.delay or "10ms")
        if err then
            return nil, err
        end
        done[#done + 1] = name
    end
    return {id = order.id, done = done}
end

return {main = main}
