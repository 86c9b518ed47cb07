-- The math library: Lua 5.4's, the names that it dropped, and random numbers seeded by the host.
local k = ...
local raw, lib = k.raw, k.lib
local native, settle, pcall = raw.math, lib.settle, raw.pcall
local exp, log = native.exp, native.log

local maths = {}
lib.math = maths

for _, name in raw.ipairs {
  "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger",
  "min", "mininteger", "modf", "pi", "rad", "sin", "sqrt", "tan", "tointeger", "type", "ult",
} do
  maths[name] = native[name]
end

maths.atan2 = native.atan

-- A number argument as a float.
local function float(name, index, value)
  local number = raw.tonumber(value)
  if not number then lib.refuse(index, name, "number", value, 4) end
  return number + 0.0
end

function maths.pow(base, power) return float("pow", 1, base) ^ float("pow", 2, power) end

function maths.log10(x) return log(float("log10", 1, x), 10) end

-- For large arguments exp(x)/2 would overflow before the result does.
function maths.cosh(x)
  x = native.abs(float("cosh", 1, x))
  if x > 700 then return exp(x - log(2)) end
  return (exp(x) + exp(-x)) / 2
end

-- Near zero the difference of two exponentials loses its digits: use the series there.
function maths.sinh(x)
  x = float("sinh", 1, x)
  if native.abs(x) > 700 then return x > 0 and exp(x - log(2)) or -exp(-x - log(2)) end
  if native.abs(x) < 0.1 then
    local square = x * x
    return x * (1 + square / 6 * (1 + square / 20 * (1 + square / 42 * (1 + square / 72))))
  end
  return (exp(x) - exp(-x)) / 2
end

function maths.tanh(x)
  x = float("tanh", 1, x)
  if native.abs(x) > 20 then return x > 0 and 1.0 or -1.0 end
  return maths.sinh(x) / maths.cosh(x)
end

-- m * 2^e in steps that stay within the range of a float.
function maths.ldexp(m, e)
  m, e = float("ldexp", 1, m), native.floor(float("ldexp", 2, e))
  if e > 4200 then e = 4200 elseif e < -4200 then e = -4200 end
  while e > 1000 do m, e = m * 0x1p1000, e - 1000 end
  while e < -1000 do m, e = m * 0x1p-1000, e + 1000 end
  return m * 2.0 ^ e
end

-- m, e with x == m * 2^e and 0.5 <= |m| < 1.
function maths.frexp(x)
  x = float("frexp", 1, x)
  if x == 0 or x ~= x or x == native.huge or x == -native.huge then return x, 0 end
  local e = 0
  if native.abs(x) < 0x1p-1000 then x, e = x * 0x1p200, -200 end
  local guess = native.floor(log(native.abs(x), 2)) + 1
  x, e = maths.ldexp(x, -guess), e + guess
  if native.abs(x) >= 1 then return x / 2, e + 1 end
  if native.abs(x) < 0.5 then return x * 2, e - 1 end
  return x, e
end

-- Random numbers ------------------------------------------------------------------------------

local seeded = false

local function seed()
  seeded = true
  native.randomseed(k.random_seed())
end

function maths.random(...)
  if not seeded then seed() end
  return settle("random", pcall(native.random, ...))
end

-- Without arguments: back to the host's own seed, never the clock.
function maths.randomseed(...)
  if ... == nil then return seed() end
  seeded = true
  settle("randomseed", pcall(native.randomseed, ...))
end

lib.expose("math", maths)
