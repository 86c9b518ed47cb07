--- 8 Time: layouts
local M = {}

local function at(ns) return time.date(2024, 2, 9, 3, 4, 5, ns or 0, time.utc) end

local function invalid(value, err)
  assert(value == nil and err:kind() == errors.INVALID and err:retryable() == false)
end

-- modules: time
--- Every token of a layout writes its part
function M.tokens()
  local t = at(120000000)
  local wanted = { ["2006"] = "2024", ["06"] = "24", ["01"] = "02", ["1"] = "2", Jan = "Feb", January = "February", ["02"] = "09", ["2"] = "9",
    ["_2"] = " 9", ["002"] = "040", ["__2"] = " 40", ["15"] = "03", ["03"] = "03", ["3"] = "3", ["04"] = "04", ["4"] = "4", ["05"] = "05",
    ["5"] = "5", PM = "AM", pm = "am", ["05.000"] = "05.120", ["05.999"] = "05.12", ["05,000"] = "05,120", ["05.999999999"] = "05.12",
    MST = "UTC", Z0700 = "Z", ["Z07:00"] = "Z", Z07 = "Z", ["-0700"] = "+0000", ["-07:00"] = "+00:00", ["-07"] = "+00", Mon = "Fri",
    Monday = "Friday", ["Jan_2"] = "Feb 9", ["_2006"] = "_2024", ["Janet"] = "Janet", ["Monk"] = "Monk", ["plain text"] = "plain text",
    ["20060102150405"] = "20240209030405", ["Jan 2, 2006 at 3:04pm (MST)"] = "Feb 9, 2024 at 3:04am (UTC)" }
  for layout, text in pairs(wanted) do assert(t:format(layout) == text, layout .. " gives " .. t:format(layout)) end
  assert(at(0):format("05.999") == "05" and at(0):format("05.000") == "05.000" and t:format("") == "")
  local evening = time.date(2024, 1, 1, 12, 0, 0, 0, time.utc)
  assert(evening:format("3 PM") == "12 PM" and evening:add("12h"):format("3pm") == "12am")
end

-- modules: time
--- Offsets are written with their sign, and a zone without a name by its offset
function M.offsets()
  local t = at():in_location(time.fixed_zone("IST", 19800))
  assert(t:format("-0700 -07:00 -07 Z0700 Z07:00 MST") == "+0530 +05:30 +05 +0530 +05:30 IST")
  assert(at():in_location(time.fixed_zone("", -3600)):format("MST Z07:00") == "-0100 -01:00")
  assert(time.parse(time.RFC3339, "2024-02-09T03:04:05+05:30"):format("MST") == "+0530")
end

-- modules: time
--- The named layouts are Go's
function M.constants()
  local wanted = { ANSIC = "Fri Feb  9 03:04:05 2024", UNIX_DATE = "Fri Feb  9 03:04:05 UTC 2024", RUBY_DATE = "Fri Feb 09 03:04:05 +0000 2024",
    RFC822 = "09 Feb 24 03:04 UTC", RFC822Z = "09 Feb 24 03:04 +0000", RFC850 = "Friday, 09-Feb-24 03:04:05 UTC",
    RFC1123 = "Fri, 09 Feb 2024 03:04:05 UTC", RFC1123Z = "Fri, 09 Feb 2024 03:04:05 +0000", RFC3339 = "2024-02-09T03:04:05Z",
    RFC3339_NANO = "2024-02-09T03:04:05.123456789Z", RFC3339NANO = "2024-02-09T03:04:05.123456789Z", KITCHEN = "3:04AM",
    STAMP = "Feb  9 03:04:05", STAMP_MILLI = "Feb  9 03:04:05.123", STAMP_MICRO = "Feb  9 03:04:05.123456",
    STAMP_NANO = "Feb  9 03:04:05.123456789", DATE_TIME = "2024-02-09 03:04:05", DATE_ONLY = "2024-02-09", TIME_ONLY = "03:04:05" }
  for name, text in pairs(wanted) do assert(at(123456789):format(time[name]) == text, name) end
  assert(at():format_rfc3339() == "2024-02-09T03:04:05Z")
  assert(not pcall(at().format, at(), 5) and not pcall(at().format, at()))
end

-- modules: time
--- What a named layout writes, it reads
function M.round_trip()
  for _, name in ipairs { "ANSIC", "UNIX_DATE", "RUBY_DATE", "RFC850", "RFC1123", "RFC1123Z", "RFC3339", "DATE_TIME" } do
    assert(time.parse(time[name], at():format(time[name])):equal(at()), name)
  end
  local exact = at(123456789)
  assert(time.parse(time.RFC3339_NANO, exact:format(time.RFC3339_NANO)) == exact)
  local there = exact:in_location(time.fixed_zone("", -12600))
  assert(time.parse(time.RFC3339_NANO, there:format(time.RFC3339_NANO)) == exact)
end

-- modules: time
--- Parts that the text lacks are the zero time's; two-digit years turn at 69
function M.partial()
  local t = time.parse(time.TIME_ONLY, "14:30:00")
  assert(t:year() == 0 and t:month() == 1 and t:day() == 1 and t:hour() == 14)
  assert(time.parse("02 Jan 06", "05 Mar 68"):year() == 2068 and time.parse("02 Jan 06", "05 Mar 69"):year() == 1969)
  assert(time.parse("2006-002", "2024-060"):format(time.DATE_ONLY) == "2024-02-29")
  assert(time.parse("2006-01-02 3:04PM", "2024-12-29 12:00AM"):hour() == 0)
  assert(time.parse("jan 2", "feb 3") == nil and time.parse("Jan 2", "FEB 3"):month() == 2)
end

-- modules: time
--- A fraction may follow the seconds though the layout has none; one in the layout must have its digits
function M.fractions()
  assert(time.parse(time.RFC3339, "2024-12-29T15:04:05.25Z"):nanosecond() == 250000000)
  assert(time.parse("15:04:05.000", "01:02:03.004"):nanosecond() == 4000000)
  assert(time.parse("15:04:05.999", "01:02:03"):nanosecond() == 0)
  invalid(time.parse("15:04:05.000", "01:02:03.04"))
  invalid(time.parse("15:04:05.000", "01:02:03"))
end

-- modules: time
--- Offsets and zones in the text say where a time is
function M.zones_in_text()
  local t = time.parse("2006-01-02 15:04:05 -0700", "2024-12-29 15:04:05 +0530")
  assert(t:utc():format(time.TIME_ONLY) == "09:34:05" and t:hour() == 15)
  local ny = time.load_location("America/New_York")
  assert(time.parse("2006-01-02 15:04", "2024-12-29 14:30", ny):utc():hour() == 19)
  assert(time.parse("2006-01-02 15:04 MST", "2024-07-01 12:00 EDT", ny):utc():hour() == 16)
  assert(time.parse(time.RFC3339, "2024-07-01T12:00:00-04:00", ny):location():string() == "America/New_York")
  assert(time.parse(time.RFC3339, "2024-07-01T12:00:00-07:00", ny):location():string() ~= "America/New_York")
  assert(time.parse("2006-01-02 15:04 MST", "2024-12-29 14:30 XYZ"):utc():hour() == 14, "an unknown zone has no offset")
  assert(time.parse("15:04 MST", "14:30 GMT+3"):utc():hour() == 11)
end

-- modules: time
--- What does not fit is Invalid and says where
function M.misfits()
  for _, text in ipairs { "invalid", "2024-13-01", "2024-00-10", "2024-02-30", "2023-02-29", "2024-01-01x", "", "24-01-01", "2024-1-1" } do
    invalid(time.parse(time.DATE_ONLY, text))
  end
  for layout, text in pairs { ["15:04"] = "24:00", ["3:04"] = "13:00", ["15:04:05"] = "10:60:00", ["3:04PM"] = "1:04pm", ["Jan"] = "Foo",
    ["-07:00"] = "+0700", ["MST"] = "x", ["2006 002"] = "2024 367" } do
    invalid(time.parse(layout, text))
  end
  local _, err = time.parse(time.DATE_ONLY, "2024-xx-01")
  assert(string.find(err, "2024-xx-01", 1, true) and string.find(err, "xx-01", 1, true))
  assert(not pcall(time.parse, time.DATE_ONLY) and not pcall(time.parse, 5, "x"))
end

return M
