local steps = require("steps")

local function create(order)
    return steps.perform(order, "shipping", "shipped", {id = "parcel-" .. order.order_id, customer = order.customer})
end

return {create = create}
