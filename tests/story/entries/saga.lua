-- Three steps in order; what each did is in the worker's log.
local funcs = require("funcs")

local function main(order)
    local done = {}
    for _, step in ipairs({"reserve", "charge", "ship"}) do
        local name, err = funcs.call(order.performer or "story:perform", order.id, step, order.delay)
        if err then
            return nil, err
        end
        done[#done + 1] = name
    end
    return {id = order.id, done = done}
end

return {main = main}
