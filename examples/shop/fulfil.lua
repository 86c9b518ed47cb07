-- One order of the shop, from click to parcel. Every call is a Python function with the shop's own models.
local funcs = require("funcs")
local time = require("time")

local APPROVAL_FROM = 100
local APPROVAL_WITHIN = "24h"
local PAID_WITHIN = "10m"

type Order = {
    id: integer, number: string, customer: string, product: string, quantity: integer, amount: string, card: string,
}

-- Wait for somebody's word, at most a day: nil when it is yes, else why not.
local function objection(): string?
    local decisions = process.listen("decision")
    local deadline = time.timer(APPROVAL_WITHIN)
    local answer = channel.select{decisions:case_receive(), deadline:response():case_receive()}
    if answer.channel ~= decisions then
        return "nobody approved it within " .. APPROVAL_WITHIN
    end
    deadline:stop()
    if answer.value.approved then
        return nil
    end
    return answer.value.comment or "refused by the shop"
end

-- Charge the card; a bank that is down is asked again (meta.options of shop:charge), but not for ever.
local function charged(order: Order)
    local charging = funcs.async("shop:charge", order.id, order.card)
    local deadline = time.timer(PAID_WITHIN)
    local answer = channel.select{charging:response():case_receive(), deadline:response():case_receive()}
    if answer.channel == deadline:response() then
        charging:cancel()
        return nil, errors.new({message = "the bank did not pay within " .. PAID_WITHIN, kind = errors.TIMEOUT})
    end
    deadline:stop()
    return charging:result()
end

-- Undo what was done, last first. Each is tried until it works: half an undo is worse than a late one.
local function undo(steps: {string}, order: Order)
    for i = #steps, 1, -1 do
        funcs.call(steps[i], order.id)
    end
end

-- Do the steps; nil when all are done, else why not, with `undoing` as what is to be undone.
local function fulfil(order: Order, undoing: {string})
    local _, err = funcs.call("shop:reserve", order.id)
    if err then
        return err:message()
    end
    table.insert(undoing, "shop:release")
    if tonumber(order.amount) >= APPROVAL_FROM then
        local why = objection()
        if why then
            return why
        end
    end
    table.insert(undoing, "shop:refund") -- before the call: nobody knows how far one came that failed
    _, err = charged(order)
    if err then
        return err:message()
    end
    _, err = funcs.call("shop:ship", order.id)
    return err and err:message()
end

local function main(order: Order)
    local undoing = {}
    local why = fulfil(order, undoing)
    if why then
        undo(undoing, order)
        funcs.call("shop:refuse", order.id, why)
        return {status = "refused", number = order.number, reason = why}
    end
    return {status = "shipped", number = order.number}
end

return {main = main}
