--- 8 Time: zones
local M = {}

-- modules: time
--- Zones are loaded by name; none is Invalid, an unknown one NotFound
function M.load()
  local berlin = assert(time.load_location("Europe/Berlin"))
  assert(type(berlin) == "userdata" and berlin:string() == "Europe/Berlin" and tostring(berlin) == "Europe/Berlin")
  assert(time.load_location("UTC"):string() == "UTC" and time.utc:string() == "UTC" and time.localtz:string() == "Local")
  local none, err = time.load_location("")
  assert(none == nil and err:kind() == errors.INVALID)
  for _, name in ipairs { "Nowhere/Land", "../etc/passwd", "/etc/passwd", "europe/berlin ", "Europe", "\0", "é", ".", "zone.tab" } do
    none, err = time.load_location(name)
    assert(none == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false, name)
  end
end

-- modules: time
--- Summer time begins and ends when it does there
function M.transitions()
  local berlin = time.load_location("Europe/Berlin")
  local function text(unix) return time.unix(unix):in_location(berlin):format("2006-01-02 15:04:05 -07:00 MST") end
  assert(text(1711846799) == "2024-03-31 01:59:59 +01:00 CET" and text(1711846800) == "2024-03-31 03:00:00 +02:00 CEST")
  assert(text(1729990799) == "2024-10-27 02:59:59 +02:00 CEST" and text(1729990800) == "2024-10-27 02:00:00 +01:00 CET")
  local south = time.load_location("Australia/Lord_Howe")
  assert(time.unix(1704067200):in_location(south):format("-07:00") == "+11:00")
  assert(time.unix(1719792000):in_location(south):format("-07:00") == "+10:30")
end

-- modules: time
--- A clock time that the zone skips or has twice is a moment beside the change, as in Go
function M.gaps_and_folds()
  local ny = time.load_location("America/New_York")
  local gap = time.date(2024, 3, 10, 2, 30, 0, 0, ny)
  assert(gap:format("15:04 MST") == "01:30 EST" or gap:format("15:04 MST") == "03:30 EDT")
  local fold = time.date(2024, 11, 3, 1, 30, 0, 0, ny)
  assert(fold:format("15:04") == "01:30")
  assert(time.date(2024, 7, 1, 12, 0, 0, 0, ny):utc():hour() == 16 and time.date(2024, 1, 1, 12, 0, 0, 0, ny):utc():hour() == 17)
end

-- modules: time
--- Calendar arithmetic keeps the clock, durations keep the length
function M.across_a_change()
  local berlin = time.load_location("Europe/Berlin")
  local t = time.date(2024, 3, 30, 12, 0, 0, 0, berlin)
  assert(t:add_date(0, 0, 1):hour() == 12 and t:add("24h"):hour() == 13)
  assert(t:add_date(0, 0, 1):sub(t):hours() == 23)
end

-- modules: time
--- A fixed zone has its name and its offset, whatever the date
function M.fixed()
  local ist = time.fixed_zone("IST", 5 * 3600 + 1800)
  local t = time.date(2024, 1, 15, 12, 0, 0, 0, ist)
  assert(t:utc():format(time.TIME_ONLY) == "06:30:00" and t:format("MST -07:00") == "IST +05:30" and ist:string() == "IST")
  assert(time.date(1900, 1, 1, 0, 0, 0, 0, time.fixed_zone("X", -43200)):utc():hour() == 12)
  assert(not pcall(time.fixed_zone, "X") and not pcall(time.fixed_zone, 5, 5))
end

-- modules: time
--- utc, in_local and in_location move a time without changing its moment
function M.moving()
  local t = time.date(2024, 7, 1, 12, 0, 0, 7, time.fixed_zone("A", 3600))
  local there = t:in_location(time.load_location("Asia/Kathmandu"))
  assert(there:equal(t) and there:format("15:04 -07:00") == "16:45 +05:45" and there:nanosecond() == 7)
  assert(t:utc():hour() == 11 and t:utc():location():string() == "UTC" and t:in_local():equal(t))
  assert(t:location():string() == "A" and there:location():string() == "Asia/Kathmandu")
  assert(not pcall(t.in_location, t, "Asia/Kathmandu") and not pcall(t.in_location, t))
end

-- modules: time
--- Local time is UTC: a machine's zone does not change what code computes
function M.local_is_utc()
  assert(time.date(2024, 7, 1, 12, 0, 0, 0):equal(time.date(2024, 7, 1, 12, 0, 0, 0, time.utc)))
  assert(time.date(2024, 7, 1, 12, 0, 0, 0):location():string() == "Local")
end

return M
