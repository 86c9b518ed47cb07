-- Stands for a bank: a transfer gets an id.
local function main(order)
    return {id = "transfer-" .. order.amount, account = order.account}
end

return {main = main}
