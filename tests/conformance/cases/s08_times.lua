--- 8 Times, durations, layouts
local M = {}

-- modules: time
--- Constants of durations, months and weekdays are numbers
function M.constants()
  assert(time.NANOSECOND == 1 and time.MICROSECOND == 1000 and time.MILLISECOND == 1000000 and time.SECOND == 1000000000)
  assert(time.MINUTE == 60 * time.SECOND and time.HOUR == 60 * time.MINUTE)
  local months = { "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER" }
  for i, name in ipairs(months) do assert(time[name] == i, name) end
  local days = { "SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY" }
  for i, name in ipairs(days) do assert(time[name] == i - 1, name) end
end

-- modules: time
--- Layout constants
function M.layout_constants()
  local t = time.date(2024, 1, 2, 15, 4, 5, 123456789, time.utc)
  for name, text in pairs {
    ANSIC = "Tue Jan  2 15:04:05 2024", UNIX_DATE = "Tue Jan  2 15:04:05 UTC 2024", RUBY_DATE = "Tue Jan 02 15:04:05 +0000 2024",
    RFC822 = "02 Jan 24 15:04 UTC", RFC822Z = "02 Jan 24 15:04 +0000", RFC850 = "Tuesday, 02-Jan-24 15:04:05 UTC",
    RFC1123 = "Tue, 02 Jan 2024 15:04:05 UTC", RFC1123Z = "Tue, 02 Jan 2024 15:04:05 +0000",
    RFC3339 = "2024-01-02T15:04:05Z", RFC3339_NANO = "2024-01-02T15:04:05.123456789Z", KITCHEN = "3:04PM",
    STAMP = "Jan  2 15:04:05", STAMP_MILLI = "Jan  2 15:04:05.123", STAMP_MICRO = "Jan  2 15:04:05.123456",
    STAMP_NANO = "Jan  2 15:04:05.123456789", DATE_TIME = "2024-01-02 15:04:05", DATE_ONLY = "2024-01-02", TIME_ONLY = "15:04:05",
  } do
    assert(t:format(time[name]) == text, name .. ": " .. t:format(time[name]))
  end
end

-- modules: time
--- Every token of a layout
function M.layout_tokens()
  local t = time.date(2024, 3, 5, 9, 7, 8, 120000000, time.fixed_zone("CET", 3600))
  for layout, text in pairs {
    ["2006"] = "2024", ["06"] = "24", ["01"] = "03", ["1"] = "3", ["Jan"] = "Mar", ["January"] = "March", ["02"] = "05", ["2"] = "5",
    ["_2"] = " 5", ["002"] = "065", ["15"] = "09", ["03"] = "09", ["3"] = "9", ["04"] = "07", ["4"] = "7", ["05"] = "08", ["5"] = "8",
    ["PM"] = "AM", ["pm"] = "am", ["05.000"] = "08.120", ["05.999"] = "08.12", ["05,000"] = "08,120", ["MST"] = "CET",
    ["Z0700"] = "+0100", ["Z07:00"] = "+01:00", ["-0700"] = "+0100", ["-07:00"] = "+01:00", ["-07"] = "+01", ["Mon"] = "Tue",
    ["Monday"] = "Tuesday", ["at 15h04"] = "at 09h07",
  } do
    assert(t:format(layout) == text, layout .. ": " .. t:format(layout))
  end
  assert(t:utc():format("Z07:00") == "Z" and t:utc():format("Z0700") == "Z")
end

-- modules: time
--- now is close to os.time, and does not go back
function M.now()
  local a, b = time.now(), time.now()
  assert(type(a) == "userdata" and not b:before(a))
  assert(math.abs(a:unix() - os.time()) <= 1)
end

-- modules: time
--- date takes calendar fields, local by default, and lets them overflow
function M.date()
  local t = time.date(2024, 2, 29, 23, 59, 58, 7, time.utc)
  local y, m, d = t:date()
  local hh, mm, ss = t:clock()
  assert(y == 2024 and m == 2 and d == 29 and hh == 23 and mm == 59 and ss == 58 and t:nanosecond() == 7)
  assert(time.date(2023, 14, 1, 0, 0, 0, 0, time.utc):format(time.DATE_ONLY) == "2024-02-01")
  assert(time.date(2024, 1, 1, 0, 0, 0, 0):location():string() == time.localtz:string())
end

-- modules: time
--- The accessors of a Time
function M.accessors()
  local t = time.date(2024, 12, 31, 10, 20, 30, 40, time.utc)
  assert(t:year() == 2024 and t:month() == 12 and t:day() == 31 and t:hour() == 10 and t:minute() == 20 and t:second() == 30)
  assert(t:nanosecond() == 40 and t:weekday() == time.TUESDAY and t:year_day() == 366)
  assert(t:unix() == 1735640430 and t:unix_nano() == 1735640430000000040)
  assert(t:format_rfc3339() == "2024-12-31T10:20:30Z" and not t:is_zero())
  assert(time.unix(1, 5):unix_nano() == 1000000005 and time.unix(0, -1):unix_nano() == -1)
end

-- modules: time
--- add, sub, add_date, after, before, equal
function M.arithmetic()
  local t = time.unix(1000)
  assert(t:add("1h"):unix() == 4600 and t:add(time.SECOND):unix() == 1001 and t:add(time.parse_duration("-1s")):unix() == 999)
  local d = t:add("90s"):sub(t)
  assert(type(d) == "userdata" and d:seconds() == 90)
  assert(t:after(time.unix(999)) and t:before(time.unix(1001)) and t:equal(time.unix(1000)) and t == time.unix(1000))
  assert(time.date(2024, 1, 31, 0, 0, 0, 0, time.utc):add_date(0, 1, 0):format(time.DATE_ONLY) == "2024-03-02")
  assert(time.date(2024, 2, 29, 0, 0, 0, 0, time.utc):add_date(1, 0, -1):format(time.DATE_ONLY) == "2025-02-28")
  assert(not pcall(t.add, t, "soon"))
end

-- modules: time
--- round and truncate take a Duration only
function M.round_and_truncate()
  local t = time.date(2024, 1, 1, 10, 44, 31, 0, time.utc)
  local hour, minute = time.parse_duration("1h"), time.parse_duration("1m")
  assert(t:round(hour):hour() == 11 and t:truncate(hour):hour() == 10)
  assert(t:round(minute):minute() == 45 and t:truncate(minute):minute() == 44)
  assert(not pcall(t.round, t, "1h") and not pcall(t.truncate, t, 5))
end

-- modules: time
--- parse by layout; bad text is nil, Invalid
function M.parse()
  local t = assert(time.parse(time.RFC3339, "2024-05-06T07:08:09.5+02:00"))
  assert(t:unix() == 1714972089 and t:nanosecond() == 500000000)
  assert(time.parse("2006-01-02", "2024-05-06"):format_rfc3339() == "2024-05-06T00:00:00Z")
  assert(time.parse("Jan _2 2006 3:04PM", "Feb  3 2024 4:05AM"):format(time.DATE_TIME) == "2024-02-03 04:05:00")
  local berlin = assert(time.load_location("Europe/Berlin"))
  assert(time.parse(time.DATE_TIME, "2024-07-01 12:00:00", berlin):utc():hour() == 10)
  for layout, text in pairs { [time.RFC3339] = "yesterday", [time.DATE_ONLY] = "2024-13-01", ["2006-01-02 "] = "2024-02-30 ", [time.TIME_ONLY] = "25:00:00" } do
    local value, err = time.parse(layout, text)
    assert(value == nil and err:kind() == "Invalid", text)
  end
end

-- modules: time
--- parse_duration: Go syntax, numbers, Durations; bad input is nil, Invalid
function M.parse_duration()
  for text, ns in pairs {
    ["1h30m"] = 5400000000000, ["500ms"] = 500000000, ["1.5h"] = 5400000000000, ["-2s"] = -2000000000, ["+3us"] = 3000,
    ["7ns"] = 7, ["0"] = 0, [".5s"] = 500000000, ["1h1m1s1ms1us1ns"] = 3661001001001, ["2µs"] = 2000,
  } do
    local d = assert(time.parse_duration(text), text)
    assert(d:nanoseconds() == ns, text .. ": " .. d:nanoseconds())
  end
  assert(time.parse_duration(42):nanoseconds() == 42)
  assert(time.parse_duration(time.parse_duration("1s")):seconds() == 1)
  for _, wrong in ipairs { "", "1", "h", "1d", "1h-", "s1", "--1s", {}, true } do
    local value, err = time.parse_duration(wrong)
    assert(value == nil and err:kind() == "Invalid", tostring(wrong))
  end
end

-- modules: time
--- Duration: integers and floats by unit, text in Go's style
function M.durations()
  local d = time.parse_duration("1h30m45.5s")
  assert(d:nanoseconds() == 5445500000000 and math.type(d:nanoseconds()) == "integer")
  assert(d:microseconds() == 5445500000 and d:milliseconds() == 5445500 and math.type(d:milliseconds()) == "integer")
  assert(d:seconds() == 5445.5 and d:minutes() == 5445.5 / 60 and math.type(time.parse_duration("2h"):hours()) == "float")
  for text, shown in pairs {
    ["1h30m45s"] = "1h30m45s", ["90m"] = "1h30m0s", ["500ms"] = "500ms", ["1.5s"] = "1.5s", ["0"] = "0s", ["-1m"] = "-1m0s",
    ["1500us"] = "1.5ms", ["7ns"] = "7ns", ["2us"] = "2µs",
  } do
    assert(tostring(time.parse_duration(text)) == shown, text .. ": " .. tostring(time.parse_duration(text)))
  end
end

-- modules: time
--- load_location: "" is Invalid, an unknown name NotFound; fixed_zone, utc and localtz are Locations
function M.locations()
  local value, err = time.load_location("")
  assert(value == nil and err:kind() == "Invalid")
  value, err = time.load_location("Mars/Olympus")
  assert(value == nil and err:kind() == "NotFound", tostring(err))
  local ny = assert(time.load_location("America/New_York"))
  assert(ny:string() == "America/New_York")
  local winter, summer = time.date(2024, 1, 1, 12, 0, 0, 0, time.utc), time.date(2024, 7, 1, 12, 0, 0, 0, time.utc)
  assert(winter:in_location(ny):hour() == 7 and summer:in_location(ny):hour() == 8, "daylight saving")
  assert(winter:in_location(ny):equal(winter), "the same moment")
  assert(winter:in_location(time.fixed_zone("X", -1800)):format("15:04 MST") == "11:30 X")
  assert(winter:in_location(ny):utc():hour() == 12 and winter:in_local():equal(winter))
  assert(time.utc:string() == "UTC" and type(time.localtz:string()) == "string")
  assert(winter:location():string() == "UTC")
end

-- modules: time
--- Nanoseconds are exact
function M.nanoseconds_are_exact()
  local t = time.unix(1700000000, 123456789)
  assert(t:add(1):unix_nano() == 1700000000123456790 and t:add(1):sub(t):nanoseconds() == 1)
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
