-- Go's reference-time layouts: formatting and parsing (docs/lua.md#time).
local k = ...
local raw, t = k.raw, k.time
local str, tointeger, tonumber = raw.string, raw.math.tointeger, raw.tonumber
local format = str.format

local months = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" }
local weekdays = { [0] = "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }

-- Longest first; "Jan" and "Mon" only where no lower-case letter follows.
local tokens = {
  J = { "January", "Jan" }, M = { "Monday", "Mon", "MST" }, ["0"] = { "002", "01", "02", "03", "04", "05", "06" },
  ["1"] = { "15", "1" }, ["2"] = { "2006", "2" }, _ = { "__2", "_2" }, ["3"] = { "3" }, ["4"] = { "4" }, ["5"] = { "5" },
  P = { "PM" }, p = { "pm" }, ["-"] = { "-07:00:00", "-070000", "-07:00", "-0700", "-07" },
  Z = { "Z07:00:00", "Z070000", "Z07:00", "Z0700", "Z07" },
}

local function fraction_at(layout, at)
  local mark, digits, stop = str.match(layout, "^([.,])(0+)()", at)
  if not mark then mark, digits, stop = str.match(layout, "^([.,])(9+)()", at) end
  if mark and not str.match(layout, "^%d", stop) then return mark .. digits end
end

local function token_at(layout, at)
  local c = str.sub(layout, at, at)
  if c == "." or c == "," then return fraction_at(layout, at) end
  for _, token in raw.ipairs(tokens[c] or {}) do
    if str.sub(layout, at, at + #token - 1) == token then
      local after = str.sub(layout, at + #token, at + #token)
      local short = token == "Jan" or token == "Mon"
      if not (short and str.find(after, "^%l")) and not (token == "_2" and str.sub(layout, at + 1, at + 4) == "2006") then
        return token
      end
    end
  end
end

--- The layout as a list of {literal=} and {token=}.
local function pieces_of(layout)
  local pieces, from, at = {}, 1, 1
  local function literal()
    if from < at then pieces[#pieces + 1] = { literal = str.sub(layout, from, at - 1) } end
  end
  while at <= #layout do
    local token = token_at(layout, at)
    if token then
      literal()
      pieces[#pieces + 1] = { token = token }
      at = at + #token
      from = at
    else
      at = at + 1
    end
  end
  literal()
  return pieces
end

-- --- formatting: each token of a table of fields -------------------------------------------------

local function offset_text(token, offset)
  if str.sub(token, 1, 1) == "Z" and offset == 0 then return "Z" end
  local sign = offset < 0 and "-" or "+"
  local abs = raw.math.abs(offset)
  local colon = str.find(token, ":", 1, true) and ":" or ""
  local text = sign .. format("%02d", abs // 3600)
  if #token > 3 then text = text .. colon .. format("%02d", abs % 3600 // 60) end
  if #token > 6 then text = text .. colon .. format("%02d", abs % 60) end
  return text
end

local function fraction_text(token, ns)
  local digits = str.sub(format("%09d", ns), 1, #token - 1)
  if str.sub(token, 2, 2) == "9" then
    digits = str.gsub(digits, "0+$", "")
    return digits == "" and "" or str.sub(token, 1, 1) .. digits
  end
  return str.sub(token, 1, 1) .. digits
end

local function hour12(f) return f.hour % 12 == 0 and 12 or f.hour % 12 end

local writers = {
  ["2006"] = function(f) return format("%04d", f.year) end,
  ["06"] = function(f) return format("%02d", f.year % 100) end,
  ["01"] = function(f) return format("%02d", f.month) end,
  ["1"] = function(f) return format("%d", f.month) end,
  Jan = function(f) return str.sub(months[f.month], 1, 3) end,
  January = function(f) return months[f.month] end,
  ["02"] = function(f) return format("%02d", f.day) end,
  ["_2"] = function(f) return format("%2d", f.day) end,
  ["2"] = function(f) return format("%d", f.day) end,
  ["002"] = function(f) return format("%03d", f.year_day) end,
  ["__2"] = function(f) return format("%3d", f.year_day) end,
  ["15"] = function(f) return format("%02d", f.hour) end,
  ["03"] = function(f) return format("%02d", hour12(f)) end,
  ["3"] = function(f) return format("%d", hour12(f)) end,
  ["04"] = function(f) return format("%02d", f.minute) end,
  ["4"] = function(f) return format("%d", f.minute) end,
  ["05"] = function(f) return format("%02d", f.second) end,
  ["5"] = function(f) return format("%d", f.second) end,
  PM = function(f) return f.hour >= 12 and "PM" or "AM" end,
  pm = function(f) return f.hour >= 12 and "pm" or "am" end,
  MST = function(f) return f.zone ~= "" and f.zone or offset_text("-0700", f.offset) end,
  Mon = function(f) return str.sub(weekdays[f.weekday], 1, 3) end,
  Monday = function(f) return weekdays[f.weekday] end,
}

--- `fields`: year month day hour minute second nanosecond weekday year_day offset zone.
function t.format_fields(layout, fields)
  local parts = {}
  for i, piece in raw.ipairs(pieces_of(layout)) do
    local token = piece.token
    local first = token and str.sub(token, 1, 1)
    if not token then parts[i] = piece.literal
    elseif writers[token] then parts[i] = writers[token](fields)
    elseif first == "." or first == "," then parts[i] = fraction_text(token, fields.nanosecond)
    else parts[i] = offset_text(token, fields.offset) end
  end
  return raw.table.concat(parts)
end

-- --- parsing -------------------------------------------------------------------------------------

local function number_reader(field, pattern, low, high)
  return function(f, text, at)
    local digits, stop = str.match(text, "^" .. pattern .. "()", at)
    local n = digits and tointeger(tonumber(digits))
    if not n or n < low or n > high then return nil end
    f[field] = n
    return stop
  end
end

local function name_reader(field, names, first, last, length)
  return function(f, text, at)
    for i = first, last do
      local name = length and str.sub(names[i], 1, length) or names[i]
      if str.lower(str.sub(text, at, at + #name - 1)) == str.lower(name) then
        f[field] = i
        return at + #name
      end
    end
  end
end

local function half_reader(am, pm)
  return function(f, text, at)
    local half = str.sub(text, at, at + 1)
    if half ~= am and half ~= pm then return nil end
    f.pm, f.am = half == pm, half == am
    return at + 2
  end
end

-- The length of a zone's abbreviation, by Go's rules: three letters, or four or five that end in T; or +03 and the like.
local function zone_length(text, at)
  local letters = #str.match(text, "^%u*", at)
  if letters == 3 or letters == 4 and str.find(text, "^WITA", at) then return letters end
  if letters == 4 or letters == 5 then return str.sub(text, at + letters - 1, at + letters - 1) == "T" and letters or nil end
  local digits = str.match(text, "^[+-]%d%d", at)
  return digits and #digits + (str.find(text, "^%d%d", at + 3) and 2 or 0)
end

local function zone_reader(f, text, at)
  local hours, behind = str.match(text, "^GMT([+-]%d%d?)()", at)
  if hours then
    f.zone, f.zone_offset = str.sub(text, at, behind - 1), tointeger(tonumber(hours)) * 3600
    return behind
  end
  local length = zone_length(text, at)
  if not length then return nil end
  f.zone = str.sub(text, at, at + length - 1)
  return at + length
end

local readers = {
  ["2006"] = number_reader("year", "(%d%d%d%d)", 0, 9999),
  ["06"] = function(f, text, at)
    local digits, stop = str.match(text, "^(%d%d)()", at)
    if not digits then return nil end
    local n = tointeger(tonumber(digits))
    f.year = n >= 69 and 1900 + n or 2000 + n
    return stop
  end,
  ["01"] = number_reader("month", "(%d%d)", 1, 12), ["1"] = number_reader("month", "(%d%d?)", 1, 12),
  Jan = name_reader("month", months, 1, 12, 3), January = name_reader("month", months, 1, 12),
  ["02"] = number_reader("day", "(%d%d)", 1, 31), ["2"] = number_reader("day", "(%d%d?)", 1, 31),
  ["_2"] = number_reader("day", " ?(%d%d?)", 1, 31),
  ["002"] = number_reader("year_day", "(%d%d%d)", 1, 366), ["__2"] = number_reader("year_day", " *(%d+)", 1, 366),
  ["15"] = number_reader("hour", "(%d%d)", 0, 23), ["03"] = number_reader("hour", "(%d%d)", 0, 12), ["3"] = number_reader("hour", "(%d%d?)", 0, 12),
  ["04"] = number_reader("minute", "(%d%d)", 0, 59), ["4"] = number_reader("minute", "(%d%d?)", 0, 59),
  ["05"] = number_reader("second", "(%d%d)", 0, 59), ["5"] = number_reader("second", "(%d%d?)", 0, 59),
  PM = half_reader("AM", "PM"), pm = half_reader("am", "pm"), MST = zone_reader,
  Mon = name_reader("weekday", weekdays, 0, 6, 3), Monday = name_reader("weekday", weekdays, 0, 6),
}

local function set_fraction(f, digits)
  f.nanosecond = tointeger(tonumber(str.sub(digits .. "000000000", 1, 9)))
end

local function read_fraction(f, token, text, at)
  local digits, stop = str.match(text, "^[.,](%d+)()", at)
  if str.sub(token, 2, 2) == "9" then
    if not digits then return at end
  elseif not digits or #digits ~= #token - 1 then
    return nil
  end
  set_fraction(f, digits)
  return stop
end

local function read_offset(f, token, text, at)
  if str.sub(token, 1, 1) == "Z" and str.sub(text, at, at) == "Z" then
    f.offset, f.utc = 0, true
    return at + 1
  end
  local colon = str.find(token, ":", 1, true) and ":" or ""
  local pattern = "^([+-])(%d%d)" .. (#token > 3 and colon .. "(%d%d)" or "()") .. (#token > 6 and colon .. "(%d%d)" or "") .. "()"
  local sign, h, m, s, stop = str.match(text, pattern, at)
  if not sign then return nil end
  if #token <= 3 then m, s, stop = 0, 0, m elseif #token <= 6 then s, stop = 0, s end
  local offset = tonumber(h) * 3600 + tonumber(m) * 60 + tonumber(s)
  f.offset = tointeger(sign == "-" and -offset or offset)
  return stop
end

local function read_piece(f, piece, text, at, more)
  local token = piece.token
  if not token then
    if str.sub(text, at, at + #piece.literal - 1) == piece.literal then return at + #piece.literal end
    return nil
  end
  local first = str.sub(token, 1, 1)
  if first == "." or first == "," then return read_fraction(f, token, text, at) end
  if not readers[token] then return read_offset(f, token, text, at) end
  local stop = readers[token](f, text, at)
  -- Go reads a fraction after the seconds even where the layout has none
  if stop and (token == "05" or token == "5") and not more then
    local digits, behind = str.match(text, "^[.,](%d+)()", stop)
    if digits then set_fraction(f, digits) stop = behind end
  end
  return stop
end

local function next_is_fraction(piece)
  local first = piece and piece.token and str.sub(piece.token, 1, 1)
  return first == "." or first == ","
end

local function cannot(layout, text, rest, piece)
  return nil, k.invalid(format('parsing time "%s" as "%s": cannot parse "%s" as "%s"', text, layout, rest, piece.token or piece.literal))
end

local function apply_half(f)
  if f.pm and f.hour and f.hour < 12 then f.hour = f.hour + 12 end
  if f.am and f.hour == 12 then f.hour = 0 end
end

--- The fields that a text has by a layout, or nil and an error.
function t.parse_fields(layout, text)
  local f, at = {}, 1
  local pieces = pieces_of(layout)
  for i, piece in raw.ipairs(pieces) do
    local stop = read_piece(f, piece, text, at, next_is_fraction(pieces[i + 1]))
    if not stop then return cannot(layout, text, str.sub(text, at), piece) end
    at = stop
  end
  if at <= #text then return nil, k.invalid(format('parsing time "%s": extra text: "%s"', text, str.sub(text, at))) end
  apply_half(f)
  return f
end
