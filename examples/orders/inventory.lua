local steps = require("steps")

local function reserve(order)
    return steps.perform(order, "inventory", "reserved", {id = "reservation-" .. order.order_id, items = order.items})
end

local function release(reservation, order)
    return steps.perform(order, "release", "released", {id = reservation, released = true})
end

return {reserve = reserve, release = release}
