-- Waits for a person, with a deadline that the person may move.
local funcs = require("funcs")
local time = require("time")

type Purchase = {item: string, price: number, requester?: string, deadline?: string}

-- The decision, or nil when the time was up.
local function wait_for_decision(within: string)
    local decisions = process.listen("decision")
    local extensions = process.listen("more_time")
    local deadline = time.timer(within)
    while true do
        local answer = channel.select{
            decisions:case_receive(), extensions:case_receive(), deadline:response():case_receive(),
        }
        if answer.channel == decisions then
            deadline:stop()
            return answer.value
        elseif answer.channel == extensions then
            deadline:reset(answer.value.extend)
        else
            return nil
        end
    end
end

local function main(purchase: Purchase)
    local decision = wait_for_decision(purchase.deadline or "48h")
    if not decision then
        funcs.call("app.approvals:notify", purchase, "rejected: nobody decided in time")
        return {status = "expired", item = purchase.item}
    end
    if not decision.approved then
        funcs.call("app.approvals:notify", purchase, "rejected: " .. (decision.comment or "no comment"))
        return {status = "rejected", item = purchase.item, comment = decision.comment}
    end
    local order, err = funcs.call("app.approvals:place_order", purchase, decision.budget or "team")
    if err then
        return nil, err
    end
    funcs.call("app.approvals:notify", purchase, "ordered as " .. order.number)
    return {status = "ordered", item = purchase.item, order = order}
end

return {main = main}
