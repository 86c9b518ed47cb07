-- The os library: the host's clock in UTC, and nothing of the machine.
local k = ...
local raw, lib = k.raw, k.lib
local type, error, pcall, format = raw.type, raw.error, raw.pcall, raw.string.format
local tointeger, byte, sub = raw.math.tointeger, raw.string.byte, raw.string.sub
local settle = lib.settle

local system = { platform = "wippy" }
lib.os = system

local SECOND = 1000000000

-- One field of a date table; a missing one is `default`.
local function field(date, name, default)
  local value = date[name]
  if value == nil then return default end
  local number = tointeger(raw.tonumber(value))
  if not number then error(format("field '%s' is not an integer", name), 3) end
  if number > 0x7fffffff or number < -0x7fffffff then error(format("field '%s' is out-of-bound", name), 3) end
  return number
end

-- Days from 1970-01-01 to the first of a month of the Gregorian calendar; months may be out of 1..12.
local function days_to_month(year, month)
  year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
  if month <= 2 then year = year - 1 end
  local of_era = year % 400
  local of_year = (153 * (month > 2 and month - 3 or month + 9) + 2) // 5
  return year // 400 * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

-- Seconds since the epoch; a date table is UTC. A field it lacks is that of today at midnight (not at 12).
function system.time(date)
  if date == nil then return k.now() // SECOND end
  if lib.typeof(date) ~= "table" then lib.refuse(1, "time", "table", date) end
  local today = raw.os.date("!*t", k.now() // SECOND)
  local year, month, day = field(date, "year", today.year), field(date, "month", today.month), field(date, "day", today.day)
  local hour, min, sec = field(date, "hour", 0), field(date, "min", 0), field(date, "sec", 0)
  return ((days_to_month(year, month) + day - 1) * 24 + hour) * 3600 + min * 60 + sec
end

-- UTC always: a leading "!" changes nothing. The native function checks the format.
function system.date(template, time)
  template = lib.coerce(template == nil and "%c" or template)
  if type(template) ~= "string" then lib.refuse(1, "date", "string", template) end
  if byte(template) ~= 33 then template = "!" .. template end
  lib.charge_bytes(#template * 256)
  if time == nil then time = k.now() // SECOND end
  return settle("date", pcall(raw.os.date, template, time))
end

-- Seconds since the state began, by the host's clock.
function system.clock()
  return (k.now() - lib.started) / SECOND
end

function system.difftime(later, earlier)
  return settle("difftime", pcall(function() return later - (earlier or 0) + 0.0 end))
end

lib.expose("os", system)
