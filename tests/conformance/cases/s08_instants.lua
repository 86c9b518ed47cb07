--- 8 Time: instants
local M = {}

local function utc(...)
  local y, mo, d, h, mi, s, ns = ...
  return time.date(y, mo, d, h or 0, mi or 0, s or 0, ns or 0, time.utc)
end

-- modules: time
--- An instant has its fields, its seconds and its nanoseconds
function M.fields()
  local t = utc(2024, 2, 29, 13, 4, 5, 120000007)
  local y, mo, d = t:date()
  local h, mi, s = t:clock()
  assert(y == 2024 and mo == 2 and d == 29 and h == 13 and mi == 4 and s == 5)
  assert(t:year() == 2024 and t:month() == 2 and t:day() == 29 and t:hour() == 13 and t:minute() == 4 and t:second() == 5)
  assert(t:nanosecond() == 120000007 and t:weekday() == time.THURSDAY and t:year_day() == 60)
  assert(t:unix() == 1709211845 and t:unix_nano() == 1709211845120000007 and type(t) == "userdata")
  assert(tostring(t) == "2024-02-29 13:04:05.120000007 +0000 UTC")
end

-- modules: time
--- Months and weekdays have constants
function M.constants()
  assert(time.JANUARY == 1 and time.JULY == 7 and time.DECEMBER == 12 and time.SUNDAY == 0 and time.SATURDAY == 6)
  assert(utc(2024, time.MARCH, 3):weekday() == time.SUNDAY)
end

-- modules: time
--- unix takes seconds and nanoseconds, which may overflow
function M.unix()
  assert(time.unix(0):unix() == 0 and time.unix(10, 5):unix_nano() == 10000000005)
  assert(time.unix(10, 2500000000):unix() == 12 and time.unix(10, -1):unix() == 9 and time.unix(10, -1):nanosecond() == 999999999)
  assert(time.unix(-1):utc():year() == 1969)
  assert(not pcall(time.unix) and not pcall(time.unix, "x"))
end

-- modules: time
--- Fields beyond their range carry over, as in Go; leap years are right
function M.overflow()
  assert(utc(2024, 13, 1):format(time.DATE_ONLY) == "2025-01-01" and utc(2024, 0, 1):format(time.DATE_ONLY) == "2023-12-01")
  assert(utc(2024, 2, 30):format(time.DATE_ONLY) == "2024-03-01" and utc(2023, 2, 29):format(time.DATE_ONLY) == "2023-03-01")
  assert(utc(2024, 1, 1, 25, 61, 61):format(time.DATE_TIME) == "2024-01-02 02:02:01")
  assert(utc(1900, 2, 29):day() == 1 and utc(2000, 2, 29):day() == 29)
  assert(utc(2024, 1, 1, 0, 0, 0, 1500000000):second() == 1)
end

-- modules: time
--- The first and the last years hold
function M.extremes()
  local first, last = utc(1, 1, 1), utc(9999, 12, 31, 23, 59, 59, 999999999)
  assert(first:is_zero() and first:unix() == -62135596800 and first:year() == 1 and first:weekday() == time.MONDAY)
  assert(last:unix() == 253402300799 and last:format(time.RFC3339_NANO) == "9999-12-31T23:59:59.999999999Z")
  assert(first:format(time.RFC3339) == "0001-01-01T00:00:00Z" and first:year_day() == 1 and last:year_day() == 365)
  assert(not time.unix(0):is_zero() and not time.now():is_zero())
  local ny = time.load_location("America/New_York")
  assert(first:in_location(ny):year() == 0 and last:in_location(ny):year() == 9999)
end

-- modules: time
--- add takes every form of a duration, and raises for anything else
function M.add()
  local t = utc(2024, 2, 28, 12)
  assert(t:add("24h"):day() == 29 and t:add(time.parse_duration("-1h")):hour() == 11 and t:add(1):nanosecond() == 1)
  assert(t:add(-1):format("15:04:05.999999999") == "11:59:59.999999999")
  assert(not pcall(t.add, t, "soon") and not pcall(t.add, t))
end

-- modules: time
--- add_date counts by the calendar and carries over
function M.add_date()
  local t = utc(2024, 1, 31, 8)
  assert(t:add_date(0, 1, 0):format(time.DATE_ONLY) == "2024-03-02" and t:add_date(1, 0, 0):format(time.DATE_ONLY) == "2025-01-31")
  assert(t:add_date(-1, -1, -31):format(time.DATE_TIME) == "2022-11-30 08:00:00")
  assert(utc(2024, 2, 29):add_date(1, 0, 0):format(time.DATE_ONLY) == "2025-03-01")
end

-- modules: time
--- sub is a Duration, the longest that there is when that is too short
function M.sub()
  assert(time.unix(12, 5):sub(time.unix(10)):nanoseconds() == 2000000005)
  assert(time.unix(10):sub(time.unix(12, 5)):nanoseconds() == -2000000005)
  assert(utc(9999, 1, 1):sub(utc(1, 1, 1)):nanoseconds() == math.maxinteger)
  assert(utc(1, 1, 1):sub(utc(9999, 1, 1)):nanoseconds() == math.mininteger)
end

-- modules: time
--- Instants compare as moments, wherever they are
function M.comparing()
  local a, b = time.unix(10), time.unix(12)
  assert(a:before(b) and b:after(a) and not a:after(b) and a:equal(time.unix(10)) and a < b and a <= b and a == time.unix(10))
  local there = time.date(2024, 7, 1, 12, 0, 0, 0, time.fixed_zone("X", 7200))
  assert(there:equal(utc(2024, 7, 1, 10)) and there == utc(2024, 7, 1, 10))
  assert(not pcall(a.before, a, 5) and not pcall(a.equal))
end

-- modules: time
--- round and truncate count from the zero time, and take a Duration only
function M.rounding()
  local function d(text) return time.parse_duration(text) end
  local t = utc(2024, 1, 1, 10, 40, 30, 500000000)
  assert(t:truncate(d("1h")):format(time.TIME_ONLY) == "10:00:00" and t:round(d("1h")):format(time.TIME_ONLY) == "11:00:00")
  assert(t:truncate(d("1s")):nanosecond() == 0 and t:round(d("1s")):second() == 31, "a half goes up")
  assert(t:truncate(d("168h")):weekday() == time.MONDAY, "weeks begin on Monday")
  assert(t:round(d("0")) == t and t:truncate(d("-1h")) == t, "nothing happens for less than 1 ns")
  assert(utc(1, 1, 1):add(d("90m")):truncate(d("1h")):hour() == 1)
  assert(t:truncate(d("2562047h")):unix() <= t:unix() and t:round(d("2562047h")):year() ~= 0)
  for _, wrong in ipairs { "1h", 3600, {} } do
    assert(not pcall(t.round, t, wrong) and not pcall(t.truncate, t, wrong))
  end
end

-- modules: time
--- now stands still for a workflow's task and moves elsewhere; os.time agrees
function M.now()
  local before = time.now()
  assert(type(before) == "userdata" and before:unix() > 1700000000)
  assert(math.abs(os.time() - time.now():unix()) <= 1 and not time.now():before(before))
  assert(os.time({ year = 2024, month = 2, day = 29 }) == 1709164800, "the hour is 0 when it is not said")
  assert(os.date("!%Y-%m-%d %H:%M:%S", 1709211845) == "2024-02-29 13:04:05")
end

-- on: workflow
-- modules: time
--- In a workflow os.time is the workflow's clock
function M.os_time_of_a_workflow()
  local before = os.time()
  time.sleep("1100ms")
  assert(os.time() > before and math.abs(os.time() - time.now():unix()) <= 1)
end

return M
