-- Says in code what it asks, with what it has computed, and takes one of three answers.
type Item = {name: string, price: number}
type Order = {order: string, items: {Item}}

local function main(order: Order)
    local total, lines = 0, {}
    for _, item in ipairs(order.items) do
        total = total + item.price
        lines[#lines + 1] = "- " .. item.name .. ", " .. item.price .. " euros"
    end
    local answers = process.listen("delivery", {ask = {
        title = "What of " .. order.order .. ", " .. total .. " euros?",
        text = "The parcel came back. It holds:\n\n" .. table.concat(lines, "\n"),
        priority = total > 500 and 80 or 50,
        signals = {
            {label = "Send it again", tone = "positive", payload = {act = "again"}},
            {label = "Refund", payload = {act = "refund", amount = total}, reason = "required"},
            {label = "Throw it away", tone = "negative", payload = {act = "discard"}, reason = "required"},
        },
    }})
    local answer = answers:receive()
    return {order = order.order, act = answer.act, amount = answer.amount}
end

return {main = main}
