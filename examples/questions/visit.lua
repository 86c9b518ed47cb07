-- Asks somebody outside, who has no account.
type Visit = {customer: {name: string, email: string}}

local function main(visit: Visit)
    local answer = process.listen("visit"):receive()
    return {customer = visit.customer.name, suits = answer.suits, day = answer.day}
end

return {main = main}
