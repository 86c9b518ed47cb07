local outcome = require("outcome")
local json = require("json")

type Currency = "EUR" | "USD"
type Money = {
  readonly cents: integer @min(0),
  currency: Currency,
  note?: string @min_len(1) @max_len(80),
}
interface Priced
  function price(self): Money
end

local Money = {}
Money.__index = Money
Money.__add = function(a: Money, b: Money): Money return Money.new(a.cents + b.cents, a.currency) end
Money.__eq = function(a: Money, b: Money): boolean return a.cents == b.cents end
Money.__lt = function(a: Money, b: Money): boolean return a.cents < b.cents end
Money.__call = function(self: Money, factor: number): Money return Money.new(math.floor(self.cents * factor)) end
Money.__concat = function(a: any, b: any): string return tostring(a) .. tostring(b) end
Money.__tostring = function(m: Money): string
  return string.format("%d.%02d %s", m.cents // 100, m.cents % 100, m.currency)
end

function Money.new(cents: integer, currency: Currency?): Money
  return setmetatable({ cents = cents, currency = currency or "EUR" }, Money)
end

function Money.parse(text: string)
  local whole, cents = text:match("^(%d+)%.(%d%d)$")
  if not whole then return outcome.bad("bad amount: " .. text) end
  return outcome.good(Money.new((tonumber(whole) as integer) * 100 + (tonumber(cents)!)))
end

function Money:json(): string return (json.encode({ cents = self.cents, currency = self.currency })) end

return Money
