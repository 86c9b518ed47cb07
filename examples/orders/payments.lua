local steps = require("steps")

local function charge(order)
    return steps.perform(order, "payment", "charged", {id = "payment-" .. order.order_id, amount = order.amount})
end

local function refund(payment, order)
    return steps.perform(order, "refund", "refunded", {id = payment, refunded = true})
end

return {charge = charge, refund = refund}
