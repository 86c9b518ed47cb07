-- An order: begun by a webhook, paid by another, shipped when a person says so.
local time = require("time")

type Order = {order_id: string, amount: integer}

local function main(order: Order)
    local payments, deadline = process.listen("paid"), time.timer("168h")
    local got = channel.select{payments:case_receive(), deadline:response():case_receive()}
    if got.channel ~= payments then
        return {status = "never paid", order = order.order_id}
    end
    deadline:stop()
    local decision = process.listen("decision"):receive()
    return {
        status = decision.approved and "shipped" or "refunded",
        order = order.order_id,
        payment = got.value.reference,
    }
end

return {main = main}
