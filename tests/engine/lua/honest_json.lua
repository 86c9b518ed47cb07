-- A JSON library as people publish them: one character after the other, tables of handlers, recursion.
local json = {}

local names = { ['"'] = '"', ["\\"] = "\\", ["\b"] = "b", ["\f"] = "f", ["\n"] = "n", ["\r"] = "r", ["\t"] = "t" }
local chars = { ["/"] = "/" }
for char, name in pairs(names) do chars[name] = char end

local function escaped(char)
  return "\\" .. (names[char] or string.format("u%04x", char:byte()))
end

local write

local writers = {
  ["nil"] = function() return "null" end,
  boolean = tostring,
  number = function(value)
    if value ~= value or value <= -math.huge or value >= math.huge then error("unexpected number " .. tostring(value)) end
    return string.format("%.14g", value)
  end,
  string = function(value) return '"' .. value:gsub('[%c"\\]', escaped) .. '"' end,
  table = function(value, above)
    above = above or {}
    if above[value] then error("circular reference") end
    above[value] = true
    local parts = {}
    if rawget(value, 1) ~= nil or next(value) == nil then
      local count = 0
      for key in pairs(value) do
        if type(key) ~= "number" then error("mixed or invalid keys") end
        count = count + 1
      end
      if count ~= #value then error("sparse array") end
      for _, item in ipairs(value) do table.insert(parts, write(item, above)) end
      above[value] = nil
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for key, item in pairs(value) do
      if type(key) ~= "string" then error("mixed or invalid keys") end
      table.insert(parts, write(key, above) .. ":" .. write(item, above))
    end
    above[value] = nil
    return "{" .. table.concat(parts, ",") .. "}"
  end,
}

function write(value, above)
  local writer = writers[type(value)]
  if not writer then error("unexpected type '" .. type(value) .. "'") end
  return writer(value, above)
end

function json.encode(value) return write(value) end

local function set(...)
  local found = {}
  for i = 1, select("#", ...) do found[select(i, ...)] = true end
  return found
end

local spaces = set(" ", "\t", "\r", "\n")
local ends = set(" ", "\t", "\r", "\n", "]", "}", ",")
local escapes = set("\\", "/", '"', "b", "f", "n", "r", "t", "u")
local words = { ["true"] = true, ["false"] = false }

local function next_of(text, at, wanted, negate)
  for i = at, #text do
    if wanted[text:sub(i, i)] ~= negate then return i end
  end
  return #text + 1
end

local function fail(text, at, message)
  local line = 1
  for i = 1, at - 1 do
    if text:sub(i, i) == "\n" then line = line + 1 end
  end
  error(string.format("%s at line %d", message, line))
end

local read

local function read_string(text, at)
  local parts, from, i = "", at + 1, at + 1
  while i <= #text do
    local byte = text:byte(i)
    if byte < 32 then
      fail(text, i, "control character in string")
    elseif byte == 92 then
      parts = parts .. text:sub(from, i - 1)
      i = i + 1
      local char = text:sub(i, i)
      if char == "u" then
        local hex = text:match("^%x%x%x%x", i + 1) or fail(text, i, "invalid unicode escape in string")
        parts = parts .. string.char(tonumber(hex, 16) % 256)
        i = i + #hex
      else
        if not escapes[char] then fail(text, i, "invalid escape in string") end
        parts = parts .. chars[char]
      end
      from = i + 1
    elseif byte == 34 then
      return parts .. text:sub(from, i - 1), i + 1
    end
    i = i + 1
  end
  fail(text, at, "expected closing quote for string")
end

local function read_number(text, at)
  local stop = next_of(text, at, ends)
  local number = tonumber(text:sub(at, stop - 1))
  if not number then fail(text, at, "invalid number") end
  return number, stop
end

local function read_word(text, at)
  local stop = next_of(text, at, ends)
  local word = text:sub(at, stop - 1)
  if word == "null" then return nil, stop end
  if words[word] == nil then fail(text, at, "invalid literal") end
  return words[word], stop
end

local function read_array(text, at)
  local list, n = {}, 1
  at = at + 1
  while true do
    at = next_of(text, at, spaces, true)
    if text:sub(at, at) == "]" then return list, at + 1 end
    list[n], at = read(text, at)
    n = n + 1
    at = next_of(text, at, spaces, true)
    local char = text:sub(at, at)
    at = at + 1
    if char == "]" then return list, at end
    if char ~= "," then fail(text, at, "expected ']' or ','") end
  end
end

local function read_object(text, at)
  local object = {}
  at = at + 1
  while true do
    local key
    at = next_of(text, at, spaces, true)
    if text:sub(at, at) == "}" then return object, at + 1 end
    if text:sub(at, at) ~= '"' then fail(text, at, "expected string for key") end
    key, at = read(text, at)
    at = next_of(text, at, spaces, true)
    if text:sub(at, at) ~= ":" then fail(text, at, "expected ':' after key") end
    at = next_of(text, at + 1, spaces, true)
    object[key], at = read(text, at)
    at = next_of(text, at, spaces, true)
    local char = text:sub(at, at)
    at = at + 1
    if char == "}" then return object, at end
    if char ~= "," then fail(text, at, "expected '}' or ','") end
  end
end

local readers = { ['"'] = read_string, ["["] = read_array, ["{"] = read_object, ["-"] = read_number,
  t = read_word, f = read_word, n = read_word }
for digit = 0, 9 do readers[tostring(digit)] = read_number end

function read(text, at)
  local char = text:sub(at, at)
  local reader = readers[char]
  if reader then return reader(text, at) end
  fail(text, at, "unexpected character '" .. char .. "'")
end

function json.decode(text)
  if type(text) ~= "string" then error("expected argument of type string, got " .. type(text)) end
  local value, at = read(text, next_of(text, 1, spaces, true))
  at = next_of(text, at, spaces, true)
  if at <= #text then fail(text, at, "trailing garbage") end
  return value
end

return json
