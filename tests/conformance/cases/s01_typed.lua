--- 1.5 An application in typed Lua
local M = {}

type Id = string
type Maybe<T> = T?
type Grid = { { number } }
type Old = number[]
type Both = { a: string } & { b: number }
type Literal = "a" | 'b' | 1 | -1 | true | nil
type Words = { type: string, as: number, is?: boolean, interface: any, extends: number, asserts: number, }
type Returns = (a: string, b: number, ...any) -> (string, number)
type Older = (fun(a: string, b: number): boolean)
type Picked = string extends any ? number : boolean
type Nested = Maybe<Maybe<Maybe<string>>>
type Frozen = readonly { string }
type Shape = interface { name: string, size: number }
type Keys = keyof(Words)
type Field = Words["as"]
interface Animal
  function name(self): string
  function speak(volume: number): (string, number)
end
interface Dog : Animal, Shape
  function fetch(thing: string): boolean
end

--- Annotations of locals, parameters, results and varargs, and generics
function M.annotations()
  local a, b: number, c: { string } = 1, 2, { "x" }
  local long:
    {
      first: string, -- a comment | with : colons
      second?: { [string]: number },
    } = { first = "1" }
  local function many(x: number): number, string return x, tostring(x) end
  local function paren(...: any): (number, string) return select("#", ...), "p" end
  local function nothing(): () end
  local generic = function<T, K: { name: string }>(t: T, k: K): T return t end
  assert(a + b == 3 and c[1] == "x" and long.first == "1")
  assert(select(2, many(2)) == "2" and paren(nil, nil) == 2 and nothing() == nil and generic(7, { name = "k" }) == 7)
end

--- Casts by as, :: and ! chain, and follow every operand
function M.casts()
  local v: any = { s = "s", n = 1 }
  local s = (v.s :: any) :: string
  local n = v.n as number
  local m = ({ n = 5 } as { n: number }).n
  local x = (v.missing or 7)! + 1
  assert(s .. (v.s as string) == "ss" and n + m + x == 14)
  assert(#({ 1 as number, "x" :: any, (nil) }) == 2)
end

--- What typed Lua reserves may name fields, and labels and comparisons stay what they are
function M.plain_lua_stays()
  local t = { type = 1, as = 2, is = 3, interface = 4, readonly = 5, extends = 6, asserts = 7, fun = 8 }
  assert(t.type + t.as + t.is + t.interface + t.readonly + t.extends + t.asserts + t.fun == 36 and type(t) == "table")
  local i: integer = 0
  ::top::
  i = i + 1
  if i < 5 then goto top end
  assert(i == 5 and (i < 6 and i > 4 or i >= 10))
  assert("type X = number; local a: b" .. [[ x :: y as T -> R! ]] == "type X = number; local a: b x :: y as T -> R! ")
end

-- modules: funcs
--- Libraries with generics, validators, interfaces and metatables work through each other
function M.libraries()
  local total = assert(funcs.call("conf.shop:total", { { price = "2.50", quantity = 2 }, { price = "1.25", quantity = 4 } }))
  assert(total.text == "total 10.00 EUR" and total.json == '{"cents":1000,"currency":"EUR"}', total.text)
  assert(total.same and total.less)
  local value, err = funcs.call("conf.shop:total", { { price = "much", quantity = 1 } })
  assert(value == nil and err:message() == "bad amount: much")
end

--- A float without a fraction prints as an integer, through tostring, table.concat and string.format
function M.integral_floats()
  assert(tostring(10 / 2) == "5" and tostring(2 ^ 53) == "9007199254740992" and tostring(3.5) == "3.5")
  assert(table.concat({ 1, 4 / 2, "x" }, ",") == "1,2,x" and string.format("%s|%d", 6 / 2, 3.0) == "3|3")
  assert(math.type(10 / 2) == "float" and 10 / 2 == 5)
end

return M
