-- Texts of statements with `?` for what is bound: expressions, conditions, names, and placeholders of databases.
local k = ...
local raw, parts = k.raw, k.sql_parts
local type, error, next = raw.type, raw.error, raw.next
local find, sub, match, upper = raw.string.find, raw.string.sub, raw.string.match, raw.string.upper
local concat = raw.table.concat

local class = k.class("sql.Sqlizer", {})
local text = { sqlizer = class }
parts.text = text

--- Stop rendering: what is wrong is told where the statement is asked for (`text.rendered`).
local WRONG = {}
local function wrong(message) error({ [WRONG] = message }, 0) end
text.wrong = wrong

--- The results of `render`, or nil and an error (Invalid).
function text.rendered(render, ...)
  local ok, sql, args = k.pcall(render, ...)
  if ok then return sql, args end
  if type(sql) == "table" and raw.rawget(sql, WRONG) then return nil, k.invalid("sql.builder: " .. sql[WRONG]) end
  error(sql, 0)
end

-- --- names --------------------------------------------------------------------------------------
-- Names are no values: they can't be bound. Where a name is wanted nothing else passes, so that one which came from
-- elsewhere can't become part of the statement; whoever means an expression says so by sql.builder.expr.

-- What is longer than any name is looked at no further: patterns may take the square of a length, uncounted.

local PART = '^[%a_][%w_$]*$'
local LONGEST, MOST_COLUMNS = 200, 2000

local function is_name(name)
  if #name > LONGEST then return false end
  for part in raw.string.gmatch(name .. ".", "([^.]*)%.") do
    if not find(part, PART) and not find(part, '^"[^"%z]+"$') and part ~= "*" then return false end
  end
  return true
end

--- A name, or a call of a function with names: COUNT(o.id).
local function is_term(term)
  if #term > LONGEST then return false end
  if is_name(term) then return true end
  local inner = match(term, "^[%a_][%w_]*%((.*)%)$")
  if not inner or find(inner, "[()]") then return false end
  for part in raw.string.gmatch(inner, "[^,]+") do
    if not is_name(match(part, "^%s*(.-)%s*$")) then return false end
  end
  return true
end

local function refuse(what, v) wrong(what .. ": " .. raw.string.format("%q", sub(v, 1, 60)) .. " is no name; write an expression as sql.builder.expr") end

function text.name(v, what)
  if not is_name(v) then refuse(what, v) end
  return v
end

function text.term(v, what)
  if not is_term(v) then refuse(what, v) end
  return v
end

--- A table, with another name for it where one is given.
function text.table(v, what)
  if #v > LONGEST then refuse(what, v) end
  if is_name(v) then return v end
  local name, alias = match(v, "^(%S+)%s+(%S+)$")
  if not name then name, alias = match(v, "^(%S+)%s+[Aa][Ss]%s+(%S+)$") end
  if not is_name(name or v) or (alias and not is_name(alias)) then refuse(what, v) end
  return v
end

local ORDERS = { ASC = true, DESC = true, ["NULLS FIRST"] = true, ["NULLS LAST"] = true }
for _, way in next, { "ASC", "DESC" } do
  ORDERS[way .. " NULLS FIRST"], ORDERS[way .. " NULLS LAST"] = true, true
end

--- A name or place with how it is ordered.
function text.order(v, what)
  if #v > LONGEST then refuse(what, v) end
  local term, way = match(v, "^(%S+)%s+(.+)$")
  if way and not ORDERS[raw.string.gsub(upper(way), "%s+", " ")] then refuse(what, v) end
  if not find(term or v, "^%d+$") then text.term(term or v, what) end
  return v
end

-- --- expressions --------------------------------------------------------------------------------

--- Go over a text outside of its quotes: `on_mark` gives what stands for each `?`, `on_pair` what for each `??`.
local function over_marks(sql, on_mark, on_pair)
  k.lib.charge_bytes(#sql)
  local out, from, at = {}, 1, 1
  while true do
    local i = find(sql, "[?'\"]", at)
    if not i then break end
    local char = sub(sql, i, i)
    if char ~= "?" then
      at = (find(sql, char, i + 1, true) or #sql) + 1
    else
      local pair = sub(sql, i + 1, i + 1) == "?"
      out[#out + 1], out[#out + 2] = sub(sql, from, i - 1), pair and on_pair or on_mark()
      at = i + (pair and 2 or 1)
      from = at
    end
  end
  out[#out + 1] = sub(sql, from)
  return concat(out)
end

--- A part of a statement by class, if it is one: its text, whose arguments are appended.
local function inlined(v, args)
  local name = k.class_of(v)
  if name == "sql.Sqlizer" then return v[k.S].render(args) end
  if name == "sql.SelectBuilder" then return "(" .. parts.render(v, args) .. ")" end
end

--- What stands for a value: `?`, or its own text where it is an expression or a SELECT.
function text.value(v, args)
  local own = inlined(v, args)
  if own then return own end
  if v == nil then v = parts.NULL end
  local kind = type(v)
  if kind == "table" and k.class_of(v) ~= "sql.Value" or kind == "function" or kind == "thread" then
    wrong("a " .. k.lib.typeof(v) .. " can't be bound: encode it, as by json.encode")
  end
  args[#args + 1] = v
  return "?"
end

--- A text that code wrote, with a value for each `?`.
function text.written(sql, values, args)
  local used = 0
  local found = over_marks(sql, function()
    used = used + 1
    if used > values.n then wrong("more placeholders than values in " .. raw.string.format("%q", sub(sql, 1, 60))) end
    return text.value(values[used], args)
  end, "??")
  if used < values.n then wrong("more values than placeholders in " .. raw.string.format("%q", sub(sql, 1, 60))) end
  return found
end

local FORMS = {
  question = function() return "?" end,
  dollar = function(n) return "$" .. n end,
  colon = function(n) return ":" .. n end,
  at = function(n) return "@p" .. n end,
}

--- The statement with placeholders as the database wants them.
function text.placed(sql, form)
  local n = 0
  return over_marks(sql, function()
    n = n + 1
    return FORMS[form](n)
  end, "?")
end

-- --- conditions ---------------------------------------------------------------------------------

local function sqlizer(render) return k.new(class, { render = render }) end

local function sorted(map, what)
  local keys = {}
  for key in next, map do
    if type(key) ~= "string" then wrong(what .. ": columns are text") end
    if #key > LONGEST then refuse(what, key) end
    keys[#keys + 1] = key
    if #keys > MOST_COLUMNS then wrong(what .. ": at most " .. MOST_COLUMNS .. " columns") end
  end
  raw.table.sort(keys)
  return keys
end
text.sorted = sorted

local function want_map(v, what)
  if type(v) ~= "table" or k.is_object(v) then error(what .. ": table expected, got " .. k.lib.typeof(v), 3) end
  return k.copied(v)
end
text.want_map = want_map

local function joined(all, word, none)
  if #all == 0 then return none end
  return #all == 1 and all[1] or concat(all, word)
end

local function list(values, args)
  local marks = {}
  for i = 1, #values do marks[i] = text.value(values[i], args) end
  return concat(marks, ",")
end

--- Equal or not: NULL, lists and queries have words of their own.
local function equality(key, v, args, negated)
  local name = k.class_of(v)
  if v == parts.NULL then return key .. (negated and " IS NOT NULL" or " IS NULL") end
  if name == "sql.SelectBuilder" then return key .. (negated and " NOT IN " or " IN ") .. text.value(v, args) end
  if type(v) == "table" and not name then
    if #v == 0 then return negated and "(1=1)" or "(1=0)" end
    return key .. (negated and " NOT IN (" or " IN (") .. list(v, args) .. ")"
  end
  return key .. (negated and " <> " or " = ") .. text.value(v, args)
end

local function of_map(what, map, each)
  return sqlizer(function(args)
    local all, keys = {}, sorted(map, what)
    for i = 1, #keys do all[i] = each(text.term(keys[i], what), map[keys[i]], args) end
    return joined(all, " AND ", "(1=1)")
  end)
end

function text.eq(map, what) return of_map(what or "eq", map, equality) end

local lib = {}
text.lib = lib

function lib.eq(map) return text.eq(want_map(map, "eq")) end

function lib.not_eq(map)
  return of_map("not_eq", want_map(map, "not_eq"), function(key, v, args) return equality(key, v, args, true) end)
end

local function comparing(name, operator)
  lib[name] = function(map)
    return of_map(name, want_map(map, name), function(key, v, args)
      if v == parts.NULL then wrong(name .. ": " .. key .. " can't be compared with NULL") end
      return key .. operator .. text.value(v, args)
    end)
  end
end

comparing("lt", " < ")
comparing("lte", " <= ")
comparing("gt", " > ")
comparing("gte", " >= ")
comparing("like", " LIKE ")
comparing("not_like", " NOT LIKE ")

--- A condition as methods take it: text with values, a table, or a part; `what` names the method.
function text.condition(what, condition, ...)
  if type(condition) == "string" then
    local values = { n = raw.select("#", ...), ... }
    return sqlizer(function(args)
      local found = text.written(condition, values, args)
      return find(upper(found), "%f[%w]OR%f[%W]") and "(" .. found .. ")" or found
    end)
  end
  if k.class_of(condition) == "sql.Sqlizer" then return condition end
  return text.eq(want_map(condition, what), what)
end

local function combining(name, word, none)
  lib[name] = function(conditions)
    local all = want_map(conditions, name)
    for i = 1, #all do all[i] = text.condition(name, all[i]) end
    return sqlizer(function(args)
      local found = {}
      for i = 1, #all do found[i] = all[i][k.S].render(args) end
      return #found == 0 and none or "(" .. concat(found, word) .. ")"
    end)
  end
end

combining("and_", " AND ", "(1=1)")
combining("or_", " OR ", "(1=0)")

--- A text that code wrote, with its values.
function lib.expr(sql, ...)
  if type(sql) ~= "string" then error("expr: sql (string) expected, got " .. k.lib.typeof(sql), 2) end
  local values = { n = raw.select("#", ...), ... }
  return sqlizer(function(args) return text.written(sql, values, args) end)
end
