local funcs = require("funcs")
local time = require("time")
local money = require("money")

local function main(order: {cents: number})
    time.sleep("1s")
    return funcs.call("shop:charge", order.cents) or money.shown(order.cents)
end

return {main = main}
