--- 8 Time: durations
local M = {}

local function invalid(value, err)
  assert(value == nil and err:kind() == errors.INVALID and err:retryable() == false)
end

-- modules: time
--- A number is nanoseconds, a string has Go's syntax, a Duration is itself
function M.three_forms()
  local function ns(d) return assert(time.parse_duration(d)):nanoseconds() end
  assert(ns(5 * time.SECOND) == 5000000000 and ns(1.9) == 1 and ns(0) == 0)
  local texts = { ["1h30m"] = 5400 * time.SECOND, ["500ms"] = 500000000, ["1.5s"] = 1500000000, ["-2m"] = -120 * time.SECOND,
    ["+3us"] = 3000, ["7ns"] = 7, ["0"] = 0, ["-0"] = 0, ["1µs"] = 1000, ["1μs"] = 1000, [".5s"] = 500000000, ["1.s"] = time.SECOND,
    ["2h30m45s500ms"] = 9045500000000, ["0.000000001s"] = 1, ["1h1h"] = 2 * time.HOUR, ["2000000.5h"] = 7200001800000000000 }
  for text, wanted in pairs(texts) do assert(ns(text) == wanted, text) end
  assert(ns(time.parse_duration("1h")) == time.HOUR)
end

-- modules: time
--- Anything else is Invalid, numbers too large included
function M.bad_durations()
  for _, text in ipairs { "", "1", "h", "1x", "1h 2m", "1..5s", "--1s", "1e3s", " 1s", "1s ", "s1", ".s", "9223372036854775808ns",
    "2562048h", "99999999999999999999s", "2562047h2562047h" } do
    invalid(time.parse_duration(text))
  end
  for _, value in ipairs { true, {}, print, 0 / 0, math.huge, 1e300 } do invalid(time.parse_duration(value)) end
  invalid(time.parse_duration())
end

-- modules: time
--- A Duration has whole nanoseconds, micro- and milliseconds, and seconds, minutes and hours with fractions
function M.units()
  local d = time.parse_duration("1h30m45s500ms")
  assert(d:nanoseconds() == 5445500000000 and d:microseconds() == 5445500000 and d:milliseconds() == 5445500)
  assert(d:seconds() == 5445.5 and d:minutes() == 5445.5 / 60 and d:hours() == 5445.5 / 3600)
  assert(math.type(d:milliseconds()) == "integer" and math.type(d:hours()) == "float")
  local back = time.parse_duration("-1500us")
  assert(back:milliseconds() == -1 and back:microseconds() == -1500 and back:seconds() == -0.0015)
end

-- modules: time
--- tostring is as Go writes it
function M.text()
  local texts = { [0] = "0s", [1] = "1ns", [1100] = "1.1µs", [2200000] = "2.2ms", [1500000000] = "1.5s", [60000000000] = "1m0s",
    [5445000000000] = "1h30m45s", [3600000000000] = "1h0m0s", [-60000000000] = "-1m0s", [999999999] = "999.999999ms",
    [math.mininteger] = "-2562047h47m16.854775808s", [math.maxinteger] = "2562047h47m16.854775807s" }
  for ns, wanted in pairs(texts) do assert(tostring(time.parse_duration(ns)) == wanted, wanted) end
end

-- modules: time
--- Durations compare by their length and are userdata
function M.comparing()
  local short, long = time.parse_duration("1s"), time.parse_duration("2s")
  assert(short < long and short <= long and not (long < short) and short == time.parse_duration("1000ms") and short ~= long)
  assert(type(short) == "userdata")
end

-- modules: time
--- The constants are numbers of nanoseconds
function M.constants()
  assert(time.NANOSECOND == 1 and time.MICROSECOND == 1000 and time.MILLISECOND == 1000000 and time.SECOND == 1000000000)
  assert(time.MINUTE == 60 * time.SECOND and time.HOUR == 60 * time.MINUTE)
end

return M
