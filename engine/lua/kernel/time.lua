-- The time module (docs/lua.md#time): instants, locations, timers.
local k = ...
local raw, t = k.raw, k.time
local type, error, tointeger, floor = raw.type, raw.error, raw.math.tointeger, raw.math.floor
local S = k.S
local SECOND = 1000000000
local MOST_SECONDS = 9223372035 -- beyond, a Duration is as long as it can be
local ZERO = -62135596800 -- seconds of 0001-01-01T00:00:00Z

-- --- locations ----------------------------------------------------------------------------------

local location_methods = {}
local location_class = k.class("time.Location", location_methods, {
  __tostring = function(self) return self[S].name end,
})

local function location(name, state)
  state.name = name
  return k.new(location_class, state)
end

local UTC = location("UTC", { offset = 0, zone = "UTC" })
local LOCAL = location("Local", { offset = 0, zone = "UTC" }) -- a node's zone must not matter: local is UTC

function location_methods.string(self) return k.self(self, location_class, "Location").name end

--- Offset in seconds and zone name that hold in a location at a moment.
local function offset_at(loc, seconds)
  local state = loc[S]
  if state.offset then return state.offset, state.zone end
  local found = k.service("time.zone", state.name, seconds)
  return found.offset, found.zone
end

-- --- instants -----------------------------------------------------------------------------------

local methods = {}
local class

local function instant(sec, nsec, loc)
  return k.new(class, { sec = sec, nsec = nsec, loc = loc or UTC })
end

local function from_ns(ns, loc) return instant(ns // SECOND, ns % SECOND, loc) end

local function self_of(v, level)
  if type(v) == "table" and raw.getmetatable(v) == class then return v[S] end
  error("Time expected", (level or 1) + 2)
end

local function compare(a, b)
  if a.sec ~= b.sec then return a.sec < b.sec and -1 or 1 end
  if a.nsec ~= b.nsec then return a.nsec < b.nsec and -1 or 1 end
  return 0
end

local function fields_of(state)
  local offset, zone = offset_at(state.loc, state.sec)
  local seconds = state.sec + offset
  local days = seconds // 86400
  local rest = seconds % 86400
  local year, month, day = t.civil_of(days)
  return {
    year = year, month = month, day = day, hour = rest // 3600, minute = rest % 3600 // 60, second = rest % 60,
    nanosecond = state.nsec, weekday = (days + 4) % 7, year_day = days - t.days_of(year, 1, 1) + 1, offset = offset, zone = zone,
  }
end

class = k.class("time.Time", methods, {
  __tostring = function(self) return t.format_fields("2006-01-02 15:04:05.999999999 -0700 MST", fields_of(self[S])) end,
  __eq = function(a, b) return compare(a[S], b[S]) == 0 end,
  __lt = function(a, b) return compare(self_of(a), self_of(b)) < 0 end,
  __le = function(a, b) return compare(self_of(a), self_of(b)) <= 0 end,
})

local function want_duration(d)
  local ns = t.nanoseconds(d)
  if not ns then error("invalid duration: " .. k.std.tostring(d), 3) end
  return ns
end

local function shifted(state, ns)
  local nsec = state.nsec + ns % SECOND
  return instant(state.sec + ns // SECOND + nsec // SECOND, nsec % SECOND, state.loc)
end

function methods.add(self, d) return shifted(self_of(self), want_duration(d)) end

function methods.sub(self, other)
  local a, b = self_of(self), self_of(other)
  local sec = a.sec - b.sec
  if sec > MOST_SECONDS then return t.duration(raw.math.maxinteger) end
  if sec < -MOST_SECONDS then return t.duration(raw.math.mininteger) end
  return t.duration(sec * SECOND + a.nsec - b.nsec)
end

--- Seconds of civil fields in a location (the later offset wins where a clock is set back, as in Go).
local function seconds_in(loc, year, month, day, hour, minute, second)
  local seconds = t.civil_seconds(year, month, day, hour, minute, second)
  local offset = offset_at(loc, seconds)
  local again = offset_at(loc, seconds - offset)
  return seconds - again
end

local function whole(v, what)
  local n = type(v) == "number" and (tointeger(v) or tointeger(floor(v)))
  if not n then error(what .. ": number expected", 3) end
  return n
end

function methods.add_date(self, years, months, days)
  local state = self_of(self)
  local f = fields_of(state)
  local sec = seconds_in(state.loc, f.year + whole(years, "years"), f.month + whole(months, "months"),
    f.day + whole(days, "days"), f.hour, f.minute, f.second)
  return instant(sec, state.nsec, state.loc)
end

function methods.after(self, other) return compare(self_of(self), self_of(other)) > 0 end
function methods.before(self, other) return compare(self_of(self), self_of(other)) < 0 end
function methods.equal(self, other) return compare(self_of(self), self_of(other)) == 0 end
function methods.is_zero(self) local s = self_of(self) return s.sec == ZERO and s.nsec == 0 end
function methods.unix(self) return self_of(self).sec end
function methods.unix_nano(self) local s = self_of(self) return s.sec * SECOND + s.nsec end

function methods.format(self, layout)
  if type(layout) ~= "string" then error("layout (string) expected", 2) end
  return t.format_fields(layout, fields_of(self_of(self)))
end

function methods.format_rfc3339(self) return methods.format(self, "2006-01-02T15:04:05Z07:00") end

function methods.date(self) local f = fields_of(self_of(self)) return f.year, f.month, f.day end
function methods.clock(self) local f = fields_of(self_of(self)) return f.hour, f.minute, f.second end

for _, name in raw.ipairs { "year", "month", "day", "hour", "minute", "second", "nanosecond", "weekday", "year_day" } do
  methods[name] = function(self) return fields_of(self_of(self))[name] end
end

local function moved(self, loc) local s = self_of(self) return instant(s.sec, s.nsec, loc) end

function methods.utc(self) return moved(self, UTC) end
function methods.in_local(self) return moved(self, LOCAL) end
function methods.location(self) return self_of(self).loc end

function methods.in_location(self, loc)
  k.self(loc, location_class, "Location")
  return moved(self, loc)
end

-- (a + b) mod m for a and b below m, without overflow
local function addmod(a, b, m)
  return a >= m - b and a - (m - b) or a + b
end

-- a * b mod m, without overflow
local function mulmod(a, b, m)
  local r = 0
  a = a % m
  while b > 0 do
    if b % 2 == 1 then r = addmod(r, a, m) end
    a, b = addmod(a, a, m), b // 2
  end
  return r
end

--- Nanoseconds since the zero time modulo d.
local function remainder(state, d)
  return addmod(mulmod(state.sec - ZERO, SECOND, d), state.nsec % d, d)
end

function methods.truncate(self, d)
  local state, ns = self_of(self), k.self(d, t.duration_class, "Duration").ns
  if ns <= 0 then return instant(state.sec, state.nsec, state.loc) end
  return shifted(state, -remainder(state, ns))
end

function methods.round(self, d)
  local state, ns = self_of(self), k.self(d, t.duration_class, "Duration").ns
  if ns <= 0 then return instant(state.sec, state.nsec, state.loc) end
  local r = remainder(state, ns)
  return shifted(state, r < ns - r and -r or ns - r)
end

-- --- the module ---------------------------------------------------------------------------------

local lib = {
  NANOSECOND = 1, MICROSECOND = 1000, MILLISECOND = 1000000, SECOND = SECOND, MINUTE = 60 * SECOND, HOUR = 3600 * SECOND,
  ANSIC = "Mon Jan _2 15:04:05 2006", UNIX_DATE = "Mon Jan _2 15:04:05 MST 2006", RUBY_DATE = "Mon Jan 02 15:04:05 -0700 2006",
  RFC822 = "02 Jan 06 15:04 MST", RFC822Z = "02 Jan 06 15:04 -0700", RFC850 = "Monday, 02-Jan-06 15:04:05 MST",
  RFC1123 = "Mon, 02 Jan 2006 15:04:05 MST", RFC1123Z = "Mon, 02 Jan 2006 15:04:05 -0700",
  RFC3339 = "2006-01-02T15:04:05Z07:00", RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00",
  RFC3339NANO = "2006-01-02T15:04:05.999999999Z07:00", KITCHEN = "3:04PM", STAMP = "Jan _2 15:04:05",
  STAMP_MILLI = "Jan _2 15:04:05.000", STAMP_MICRO = "Jan _2 15:04:05.000000", STAMP_NANO = "Jan _2 15:04:05.000000000",
  DATE_TIME = "2006-01-02 15:04:05", DATE_ONLY = "2006-01-02", TIME_ONLY = "15:04:05",
  JANUARY = 1, FEBRUARY = 2, MARCH = 3, APRIL = 4, MAY = 5, JUNE = 6, JULY = 7, AUGUST = 8, SEPTEMBER = 9, OCTOBER = 10,
  NOVEMBER = 11, DECEMBER = 12, SUNDAY = 0, MONDAY = 1, TUESDAY = 2, WEDNESDAY = 3, THURSDAY = 4, FRIDAY = 5, SATURDAY = 6,
  utc = UTC, localtz = LOCAL, parse_duration = t.parse_duration,
}

function lib.now() return from_ns(k.now()) end

function lib.unix(sec, nsec)
  local ns = whole(nsec or 0, "nsec")
  return instant(whole(sec, "sec") + ns // SECOND, ns % SECOND)
end

local function location_or(loc, default)
  if loc == nil then return default end
  k.self(loc, location_class, "Location")
  return loc
end

function lib.date(year, month, day, hour, minute, second, ns, loc)
  loc = location_or(loc, LOCAL)
  ns = whole(ns or 0, "nanosecond")
  local sec = seconds_in(loc, whole(year, "year"), whole(month, "month"), whole(day, "day"),
    whole(hour or 0, "hour"), whole(minute or 0, "minute"), whole(second or 0, "second"))
  return instant(sec + ns // SECOND, ns % SECOND, loc)
end

-- Where a parsed time is: at its offset, in its zone; in `loc` when that has the same offset or zone then, or none is given.
local function parsed_location(f, loc, civil)
  if f.utc then return UTC end
  if not f.offset and not f.zone then return loc end
  local offset, zone = offset_at(loc, f.offset and civil(UTC) - f.offset or civil(loc))
  if f.offset then
    if offset == f.offset and (not f.zone or zone == f.zone) then return loc end
    return location(f.zone or "", { offset = f.offset, zone = f.zone or "" })
  end
  if zone == f.zone then return loc end
  if f.zone == "UTC" then return UTC end
  return location(f.zone, { offset = f.zone_offset or 0, zone = f.zone })
end

local function in_month(f)
  local year, month, day = f.year or 0, f.month or 1, f.day or 1
  local _, _, last = t.civil_of(t.days_of(month == 12 and year + 1 or year, month % 12 + 1, 1) - 1)
  return day <= last
end

--- time.parse(layout, text[, location]) -> Time | nil, err.
function lib.parse(layout, text, loc)
  if type(layout) ~= "string" or type(text) ~= "string" then error("time.parse: layout and text (strings) expected", 2) end
  loc = location_or(loc, UTC)
  local f, err = t.parse_fields(layout, text)
  if not f then return nil, err end
  if not in_month(f) then return nil, k.invalid('parsing time "' .. text .. '": day out of range') end
  local month, day = f.month or 1, f.day or 1
  if f.year_day then month, day = 1, f.year_day end
  local function civil(place) return seconds_in(place, f.year or 0, month, day, f.hour or 0, f.minute or 0, f.second or 0) end
  loc = parsed_location(f, loc, civil)
  -- an offset in the text says the moment, whatever the clocks of the place do around it
  return instant(f.offset and civil(UTC) - f.offset or civil(loc), f.nanosecond or 0, loc), nil
end

function lib.load_location(name)
  if type(name) ~= "string" or name == "" then return nil, k.invalid("location name cannot be empty") end
  if name == "UTC" then return UTC, nil end
  if name == "Local" then return LOCAL, nil end
  local found, err = k.service("time.zone", name, 0)
  if not found then return nil, err end
  return location(name, {}), nil
end

function lib.fixed_zone(name, offset)
  if type(name) ~= "string" then error("fixed_zone: name (string) expected", 2) end
  return location(name, { offset = whole(offset, "offset"), zone = name })
end

-- --- sleeping and timers ------------------------------------------------------------------------

--- Start a timer of ns > 0; `fire` runs when it is due.
local function start(ns, fire)
  return (k.issue("start_timer", "", fire, ns))
end

local function drop(id)
  k.give_up(id)
  k.hand("cancel_timer", id)
end

function lib.sleep(d)
  local ns = t.nanoseconds(d)
  if not ns then return nil, t.bad_duration(d) end
  if ns <= 0 then
    k.pause()
    return
  end
  local task = k.current()
  start(ns, function() k.wake(task) end)
  k.park()
end

local function positive(d)
  local ns = t.nanoseconds(d)
  if not ns or ns <= 0 then return nil, t.bad_duration(d) end
  return ns
end

local function fired(channel) k.push(channel, from_ns(k.io.now)) end

function lib.after(d)
  local ns, err = positive(d)
  if not ns then return nil, err end
  local channel = k.channel(1)
  start(ns, function()
    fired(channel)
    k.close_channel(channel)
  end)
  return channel, nil
end

local timer_methods = {}
local timer_class = k.class("time.Timer", timer_methods)

local function arm(state, ns)
  state.id = start(ns, function()
    state.id = nil
    fired(state.channel)
  end)
end

local function disarm(state)
  local id = state.id
  state.id = nil
  if id then drop(id) end
  return id ~= nil
end

function lib.timer(d)
  local ns, err = positive(d)
  if not ns then return nil, err end
  local state = { channel = k.channel(1) }
  arm(state, ns)
  return k.new(timer_class, state), nil
end

function timer_methods.response(self) return k.self(self, timer_class, "Timer").channel end
timer_methods.channel = timer_methods.response

--- Stop; whether it was active. Closes the channel.
function timer_methods.stop(self)
  local state = k.self(self, timer_class, "Timer")
  local active = disarm(state)
  k.close_channel(state.channel)
  state.closed = true
  return active
end

--- Start over with d; whether it was active. After a stop there is a new channel.
function timer_methods.reset(self, d)
  local state = k.self(self, timer_class, "Timer")
  local ns = t.nanoseconds(d)
  if not ns or ns <= 0 then error("invalid duration: " .. k.std.tostring(d), 2) end
  local active = disarm(state)
  if state.closed then state.channel, state.closed = k.channel(1), false end
  arm(state, ns)
  return active
end

local ticker_methods = {}
local ticker_class = k.class("time.Ticker", ticker_methods)
local TICKS_KEPT = 16

-- Each tick is due one period after the last was due, so that ticks don't drift.
local function tick(state)
  if k.queued(state.channel) < TICKS_KEPT then fired(state.channel) end
  local late = k.io.now - state.due
  local wait = state.period - late % state.period
  state.due = k.io.now + wait
  state.id = start(wait, function() tick(state) end)
end

function lib.ticker(d)
  local ns, err = positive(d)
  if not ns then return nil, err end
  local state = { channel = k.channel(TICKS_KEPT), period = ns, due = k.io.now + ns }
  state.id = start(ns, function() tick(state) end)
  return k.new(ticker_class, state), nil
end

function ticker_methods.response(self) return k.self(self, ticker_class, "Ticker").channel end
ticker_methods.channel = ticker_methods.response

function ticker_methods.stop(self)
  local state = k.self(self, ticker_class, "Ticker")
  disarm(state)
  k.close_channel(state.channel)
  return true
end

k.modules.time = k.library(lib)
