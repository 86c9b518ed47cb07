-- Asks before it pays; what it hands on is masked by the function's own `meta.mask`.
local funcs = require("funcs")

type Payout = {customer: string, reference: string, amount: number, account: {holder?: string, number: string}}

local function main(payout: Payout)
    local decision = process.listen("decision"):receive()
    if not decision.approved then
        return {reference = payout.reference, paid = false}
    end
    local transfer, err = funcs.call("app.payouts:transfer", {amount = payout.amount, account = payout.account})
    if err then
        error(err)
    end
    return {reference = payout.reference, paid = true, transfer = transfer}
end

return {main = main}
