-- One order from click to parcel. Every call below is a recorded step: after a crash it goes on here.
local funcs = require("funcs")
local time = require("time")

local APPROVAL_FROM = 100
local APPROVAL_WITHIN = "24h"

type Order = {order_id: string, amount: number, customer?: string, items?: {string}, fail_at?: string, step_delay?: string}

-- Wait for an operator, at most a day: true, or false and why not.
local function approved(order: Order): (boolean, string?)
    local decisions = process.listen("decision")
    local deadline = time.timer(APPROVAL_WITHIN)
    local answer = channel.select{decisions:case_receive(), deadline:response():case_receive()}
    if answer.channel ~= decisions then
        return false, "nobody decided within " .. APPROVAL_WITHIN
    end
    deadline:stop()
    if answer.value.approved then
        return true
    end
    return false, answer.value.comment or "rejected by an operator"
end

local function fulfil(order: Order)
    local inventory = funcs.call("app.inventory:reserve", order)
    if inventory.error then
        return nil, inventory.error
    end

    local payment = funcs.call("app.payments:charge", order)
    if payment.error then
        funcs.call("app.inventory:release", inventory.id, order)
        return nil, payment.error
    end

    local shipping = funcs.call("app.shipping:create", order)
    if shipping.error then
        funcs.call("app.payments:refund", payment.id, order)
        funcs.call("app.inventory:release", inventory.id, order)
        return nil, shipping.error
    end

    return {status = "shipped", order_id = order.order_id, inventory = inventory, payment = payment, shipping = shipping}
end

local function main(order: Order)
    if order.amount >= APPROVAL_FROM then
        local ok, why = approved(order)
        if not ok then
            return {status = "rejected", order_id = order.order_id, reason = why}
        end
    end
    return fulfil(order)
end

return {main = main}
