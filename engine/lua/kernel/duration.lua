-- Durations and civil dates: integer arithmetic for the time module (docs/lua.md#time).
local k = ...
local raw = k.raw
local type, error, tointeger = raw.type, raw.error, raw.math.tointeger
local S = k.S
local str = raw.string

local t = {}
k.time = t

local MICRO, MILLI, SECOND = 1000, 1000000, 1000000000
local MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
local units = { ns = 1, us = MICRO, ["µs"] = MICRO, ["μs"] = MICRO, ms = MILLI, s = SECOND, m = MINUTE, h = HOUR }

-- Digits after the point count in the unit: integer arithmetic up to nanoseconds. Nil when there are too many.
local function scaled(whole, fraction, unit)
  local count = tointeger(raw.tonumber(whole)) or 0
  if count > raw.math.maxinteger // unit then return nil end
  local part, scale = 0, unit
  for digit in str.gmatch(fraction, "%d") do
    scale = scale / 10
    part = part + digit * scale
  end
  return count * unit + tointeger(raw.math.floor(part))
end

local function parse_text(text)
  local sign, rest = str.match(text, "^([+-]?)(.+)$")
  if not rest then return nil end
  if rest == "0" then return 0 end
  local total, at = 0, 1
  while at <= #rest do
    local whole, dot, fraction, unit, stop = str.match(rest, "^(%d*)(%.?)(%d*)([^%d%.]+)()", at)
    if not whole or (whole == "" and fraction == "") or not units[unit] or #whole > 15 or #fraction > 18 then return nil end
    if dot == "" and fraction ~= "" then return nil end
    local ns = scaled(whole, fraction, units[unit])
    if not ns or ns < 0 or total + ns < 0 then return nil end
    total = total + ns
    at = stop
  end
  return sign == "-" and -total or total
end

local methods = {}
local class

--- Nanoseconds of a number (ns), a Go duration text or a Duration; nil when it is none.
function t.nanoseconds(d)
  if type(d) == "number" then return tointeger(d) or (d == d and tointeger(raw.math.floor(d))) or nil end
  if type(d) == "string" then return parse_text(d) end
  if type(d) == "table" and raw.getmetatable(d) == class then return d[S].ns end
end

function t.bad_duration(d) return k.invalid("invalid duration: " .. k.std.tostring(d)) end

local function trimmed(value, unit)
  local text = str.format("%.9f", value / unit)
  text = str.gsub(str.gsub(text, "0+$", ""), "%.$", "")
  return (text)
end

local function seconds_text(ns)
  local whole, rest = ns // SECOND, ns % SECOND
  if rest == 0 then return whole .. "s" end
  return whole .. (str.gsub("." .. str.format("%09d", rest), "0+$", "")) .. "s"
end

-- Go's style: 1h30m45s, 1.5ms, 0s.
local function text_of(ns)
  if ns == 0 then return "0s" end
  if ns == raw.math.mininteger then return "-2562047h47m16.854775808s" end
  if ns < 0 then return "-" .. text_of(-ns) end
  if ns < MICRO then return ns .. "ns" end
  if ns < MILLI then return trimmed(ns, MICRO) .. "µs" end
  if ns < SECOND then return trimmed(ns, MILLI) .. "ms" end
  local hours, minutes = ns // HOUR, ns % HOUR // MINUTE
  local text = seconds_text(ns % MINUTE)
  if hours > 0 then return hours .. "h" .. minutes .. "m" .. text end
  if minutes > 0 then return minutes .. "m" .. text end
  return text
end

class = k.class("time.Duration", methods, {
  __tostring = function(self) return text_of(self[S].ns) end,
  __eq = function(a, b) return a[S].ns == b[S].ns end,
  __lt = function(a, b) return k.self(a, class, "Duration").ns < k.self(b, class, "Duration").ns end,
  __le = function(a, b) return k.self(a, class, "Duration").ns <= k.self(b, class, "Duration").ns end,
})
t.duration_class = class

function t.duration(ns) return k.new(class, { ns = ns }) end

local function ns_of(self) return k.self(self, class, "Duration").ns end

local function towards_zero(ns, unit)
  local count = ns // unit
  return count < 0 and count * unit ~= ns and count + 1 or count
end

function methods.nanoseconds(self) return ns_of(self) end
function methods.microseconds(self) return towards_zero(ns_of(self), MICRO) end
function methods.milliseconds(self) return towards_zero(ns_of(self), MILLI) end
function methods.seconds(self) return ns_of(self) / SECOND end
function methods.minutes(self) return ns_of(self) / MINUTE end
function methods.hours(self) return ns_of(self) / HOUR end

--- time.parse_duration(x) -> Duration | nil, err.
function t.parse_duration(d)
  local ns = t.nanoseconds(d)
  if not ns then return nil, t.bad_duration(d) end
  return t.duration(ns), nil
end

-- --- civil dates (proleptic Gregorian; after Howard Hinnant's algorithms) ------------------------

--- Days since 1970-01-01 of a civil date.
function t.days_of(year, month, day)
  year = month <= 2 and year - 1 or year
  local era = year // 400
  local yoe = year - era * 400
  local doy = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468
end

--- year, month, day of days since 1970-01-01.
function t.civil_of(days)
  days = days + 719468
  local era = days // 146097
  local doe = days - era * 146097
  local yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
  local doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
  local mp = (5 * doy + 2) // 153
  local month = mp < 10 and mp + 3 or mp - 9
  return yoe + era * 400 + (month <= 2 and 1 or 0), month, doy - (153 * mp + 2) // 5 + 1
end

--- Seconds since the epoch of civil fields, each of which may overflow, as if in UTC.
function t.civil_seconds(year, month, day, hour, minute, second)
  year = year + (month - 1) // 12
  month = (month - 1) % 12 + 1
  return (t.days_of(year, month, 1) + day - 1) * 86400 + hour * 3600 + minute * 60 + second
end

k.fill_later(t, "layout")
