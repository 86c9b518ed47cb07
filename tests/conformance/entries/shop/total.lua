local money = require("money")

type Line = { price: string, quantity: integer }

local function main(lines: { Line }): any
  local sum = money.new(0)
  for _, line in ipairs(lines) do
    local price = money.parse(line.price):map(function(m: any): any return m(line.quantity) end)
    if not price.ok then return nil, price.error end
    sum = sum + price.value
  end
  return { text = "total " .. sum, json = sum:json(), same = sum == money.new(sum.cents), less = money.new(1) < sum }
end

return { main = main }
