-- An order: begun by a webhook, paid by another, shipped when a person says so.
local time = require("time")

type Order = {order_id: string, amount: integer}

local function main(order: Order)
    local payments, too_late = process.listen("paid"), time.after("168h")
    local got = channel.select{payments:case_receive(), too_late:case_receive()}
    if got.channel == too_late then
        return {status = "never paid", order = order.order_id}
    end
    local decision = process.listen("decision"):receive()
    return {
        status = decision.approved and "shipped" or "refunded",
        order = order.order_id,
        payment = got.value.reference,
    }
end

return {main = main}
