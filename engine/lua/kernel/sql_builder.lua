-- Builders of statements (docs/lua.md#sql). A builder never changes: each step is a new one that knows the one before.
local k = ...
local raw, parts = k.raw, k.sql_parts
local text = parts.text
local type, error, select = raw.type, raw.error, raw.select
local concat = raw.table.concat

local classes, lib = {}, text.lib
local executor = {}
local executor_class = k.class("sql.QueryExecutor", executor)
local format_class = k.class("sql.Placeholder", {})

for _, name in raw.next, { "question", "dollar", "colon", "at" } do
  lib[name] = k.new(format_class, name)
end
lib.default_placeholder = lib.question

local function want_text(v, what)
  if type(v) ~= "string" then error(what .. " (string) expected, got " .. k.lib.typeof(v), 3) end
  return v
end

-- --- steps --------------------------------------------------------------------------------------

local function step(self, class, op, value)
  return k.new(class, { kind = self.kind, before = self, op = op, value = value })
end

--- Clauses by name, each a list in the order of the steps.
local function clauses_of(state)
  local steps, clauses = {}, {}
  while state.before do
    steps[#steps + 1] = state
    state = state.before
  end
  for i = #steps, 1, -1 do
    local list = clauses[steps[i].op] or {}
    clauses[steps[i].op] = list
    list[#list + 1] = steps[i].value
  end
  return clauses
end

local function last(clauses, op)
  local list = clauses[op]
  return list and list[#list]
end

--- A method whose step keeps what `take(...)` makes of its arguments.
local function method(kinds, name, op, take)
  for kind in raw.string.gmatch(kinds, "%w+") do
    classes[kind].methods[name] = function(self, ...)
      return step(k.self(self, classes[kind].class, classes[kind].name), classes[kind].class, op, take(...))
    end
  end
end

local function builder(kind, name)
  local methods = {}
  classes[kind] = { methods = methods, name = name, class = k.class(name, methods) }
end

builder("select", "sql.SelectBuilder")
builder("insert", "sql.InsertBuilder")
builder("update", "sql.UpdateBuilder")
builder("delete", "sql.DeleteBuilder")

local function texts(what)
  return function(...)
    local list = { ... }
    for i = 1, select("#", ...) do
      if k.class_of(list[i]) ~= "sql.Sqlizer" then want_text(list[i], what) end
    end
    return list
  end
end

local function written(what)
  return function(sql, ...) return { sql = want_text(sql, what), values = { n = select("#", ...), ... } } end
end

local function condition(what)
  return function(...)
    local given = ...
    local empty = type(given) == "table" and not k.is_object(given) and raw.next(k.reveal(given)) == nil
    return { part = text.condition(what, ...), empty = empty }
  end
end

local function count(what)
  return function(n)
    local whole = type(n) == "number" and raw.math.tointeger(n)
    if not whole or whole < 0 then error(what .. ": a whole number from 0 expected", 3) end
    return whole
  end
end

local function table_name(what)
  return function(v)
    if k.class_of(v) == "sql.Sqlizer" then return v end
    return want_text(v, what)
  end
end

for name, word in raw.next, { join = "JOIN", left_join = "LEFT JOIN", right_join = "RIGHT JOIN", inner_join = "INNER JOIN" } do
  local take = written(name)
  method("select", name, "join", function(...)
    local value = take(...)
    value.word = word
    return value
  end)
end

method("select update delete", "from", "from", table_name("from"))
method("update", "table", "table", table_name("table"))
method("insert", "into", "table", table_name("into"))
method("select update delete", "where", "where", condition("where"))
method("select", "having", "having", condition("having"))
method("select update delete", "order_by", "order", texts("order_by"))
method("select", "group_by", "group", texts("group_by"))
method("select insert", "columns", "columns", texts("columns"))
method("select", "distinct", "distinct", function() return true end)
method("select update delete", "limit", "limit", count("limit"))
method("select update delete", "offset", "offset", count("offset"))
method("select insert update delete", "suffix", "suffix", written("suffix"))
method("insert", "prefix", "prefix", written("prefix"))
method("insert", "options", "options", texts("options"))
method("insert", "values", "values", function(...) return { n = select("#", ...), ... } end)
method("insert update", "set_map", "set_map", function(map) return text.want_map(map, "set_map") end)
method("update", "set", "set", function(column, value) return { want_text(column, "set"), value } end)

local function want_select(v, what)
  if k.class_of(v) ~= "sql.SelectBuilder" then error(what .. ": SelectBuilder expected", 3) end
  return v
end

method("insert", "select", "select", function(v) return want_select(v, "select") end)
method("update", "from_select", "from_select", function(v, alias) return { want_select(v, "from_select"), want_text(alias, "alias") } end)

method("select insert update delete", "placeholder_format", "format", function(format)
  if k.class_of(format) ~= "sql.Placeholder" then error("placeholder_format: one of sql.builder expected", 3) end
  return format[k.S]
end)

-- --- rendering ----------------------------------------------------------------------------------

local function of_text(v, args, check, what)
  if type(v) == "string" then return check(v, what) end
  return v[k.S].render(args)
end

--- Every text of the lists of a clause.
local function each(lists, args, check, what)
  local all = {}
  for i = 1, #(lists or {}) do
    for j = 1, #lists[i] do all[#all + 1] = of_text(lists[i][j], args, check, what) end
  end
  return all
end

local function column(v) return v end

local function from(clauses, args, out)
  local name = last(clauses, "from")
  if name then out[#out + 1] = "FROM " .. of_text(name, args, text.table, "from") end
end

local function conditions(list, word, args, out, careful)
  if not list then return end
  local all = {}
  for i = 1, #list do
    if careful and list[i].empty then text.wrong("where: an empty condition; leave it out to mean all rows") end
    all[i] = list[i].part[k.S].render(args)
  end
  out[#out + 1] = word .. concat(all, " AND ")
end

local function tail(clauses, args, out)
  local orders = each(clauses.order, args, text.order, "order_by")
  if #orders > 0 then out[#out + 1] = "ORDER BY " .. concat(orders, ", ") end
  if clauses.limit then out[#out + 1] = "LIMIT " .. last(clauses, "limit") end
  if clauses.offset then out[#out + 1] = "OFFSET " .. last(clauses, "offset") end
  for _, suffix in raw.next, clauses.suffix or {} do out[#out + 1] = text.written(suffix.sql, suffix.values, args) end
end

local render = {}

function render.select(clauses, args)
  local columns = each(clauses.columns, args, column)
  if #columns == 0 then text.wrong("select: no columns") end
  local out = { clauses.distinct and "SELECT DISTINCT" or "SELECT", concat(columns, ", ") }
  from(clauses, args, out)
  for _, join in raw.next, clauses.join or {} do
    out[#out + 1] = join.word .. " " .. text.written(join.sql, join.values, args)
  end
  conditions(clauses.where, "WHERE ", args, out)
  local groups = each(clauses.group, args, text.term, "group_by")
  if #groups > 0 then out[#out + 1] = "GROUP BY " .. concat(groups, ", ") end
  conditions(clauses.having, "HAVING ", args, out)
  tail(clauses, args, out)
  return concat(out, " ")
end

--- The beginning; a prefix that is one itself (INSERT IGNORE INTO) takes its place.
local function opening(clauses, args, out)
  local options = each(clauses.options, args, text.name, "options")
  local usual = "INSERT " .. concat(options, " ") .. (#options > 0 and " " or "") .. "INTO"
  for _, prefix in raw.next, clauses.prefix or {} do
    local found = text.written(prefix.sql, prefix.values, args)
    local whole = #found <= 200 and raw.string.find(raw.string.upper(found), "^%s*[IR]%a+.*%sINTO%s*$")
    if whole then usual = found else out[#out + 1] = found end
  end
  local name = last(clauses, "table")
  if not name then text.wrong("insert: no table") end
  out[#out + 1], out[#out + 2] = usual, of_text(name, args, text.table, "insert")
end

local function row(values, args)
  local marks = {}
  for i = 1, values.n do marks[i] = text.value(values[i], args) end
  return "(" .. concat(marks, ",") .. ")"
end

--- Columns and rows; those of a map are in the order of their names.
local function content(clauses, args)
  local map = last(clauses, "set_map")
  if not map then return each(clauses.columns, args, text.name, "columns"), clauses.values end
  local columns, values = text.sorted(map, "set_map"), {}
  for i = 1, #columns do values[i] = map[text.name(columns[i], "set_map")] end
  values.n = #columns
  return columns, { values }
end

function render.insert(clauses, args)
  local out = {}
  opening(clauses, args, out)
  local columns, rows = content(clauses, args)
  if #columns > 0 then out[#out + 1] = "(" .. concat(columns, ",") .. ")" end
  local query = last(clauses, "select")
  if query then
    out[#out + 1] = parts.render(query, args)
  else
    if not rows then text.wrong("insert: no values") end
    local all = {}
    for i = 1, #rows do
      if #columns > 0 and rows[i].n ~= #columns then text.wrong("insert: " .. rows[i].n .. " values for " .. #columns .. " columns") end
      all[i] = row(rows[i], args)
    end
    out[#out + 1] = "VALUES " .. concat(all, ",")
  end
  tail(clauses, args, out)
  return concat(out, " ")
end

local function settings(clauses, args)
  local all = {}
  for _, map in raw.next, clauses.set_map or {} do
    local columns = text.sorted(map, "set_map")
    for i = 1, #columns do all[#all + 1] = text.name(columns[i], "set_map") .. " = " .. text.value(map[columns[i]], args) end
  end
  for _, pair in raw.next, clauses.set or {} do
    all[#all + 1] = text.name(pair[1], "set") .. " = " .. text.value(pair[2], args)
  end
  if #all == 0 then text.wrong("update: nothing to set") end
  return concat(all, ", ")
end

function render.update(clauses, args)
  local name = last(clauses, "table")
  if not name then text.wrong("update: no table") end
  local out = { "UPDATE", of_text(name, args, text.table, "update"), "SET", settings(clauses, args) }
  from(clauses, args, out)
  local query = last(clauses, "from_select")
  if query then out[#out + 1] = "FROM (" .. parts.render(query[1], args) .. ") AS " .. text.name(query[2], "from_select") end
  conditions(clauses.where, "WHERE ", args, out, true)
  tail(clauses, args, out)
  return concat(out, " ")
end

function render.delete(clauses, args)
  if not clauses.from then text.wrong("delete: no table") end
  local out = { "DELETE" }
  from(clauses, args, out)
  conditions(clauses.where, "WHERE ", args, out, true)
  tail(clauses, args, out)
  return concat(out, " ")
end

--- The text of a builder with `?`, whose arguments are appended.
function parts.render(object, args)
  local state = object[k.S]
  return render[state.kind](clauses_of(state), args)
end

--- The statement and its arguments; or nil and an error. `usual` is the format where none was said.
local function to_sql(object, usual)
  local args = {}
  local sql, err = text.rendered(parts.render, object, args)
  if not sql then return nil, err end
  return text.placed(sql, last(clauses_of(object[k.S]), "format") or usual), args
end

-- --- running ------------------------------------------------------------------------------------

local function run(self, which)
  local state = k.self(self, executor_class, "sql.QueryExecutor")
  local sql, args = to_sql(state.builder, state.usual)
  if not sql then return nil, args end
  return state[which](state.with, sql, args)
end

function executor.query(self) return run(self, "query") end

function executor.exec(self) return run(self, "execute") end

function executor.to_sql(self)
  local state = k.self(self, executor_class, "sql.QueryExecutor")
  return to_sql(state.builder, state.usual)
end

for _, of in raw.next, classes do
  function of.methods.to_sql(self)
    k.self(self, of.class, of.name)
    return to_sql(self, "question")
  end

  --- An executor; without a format of its own the statement is written for that database.
  function of.methods.run_with(self, with)
    k.self(self, of.class, of.name)
    local dialect, query, execute = parts.runner(with)
    if not dialect then error("run_with: database or transaction expected, got " .. k.lib.typeof(with), 2) end
    local usual = dialect == "postgres" and "dollar" or "question"
    return k.new(executor_class, { builder = self, with = with, usual = usual, query = query, execute = execute })
  end
end

-- --- beginnings ---------------------------------------------------------------------------------

local function beginning(kind, first)
  return function(...)
    local start = k.new(classes[kind].class, { kind = kind })
    if select("#", ...) == 0 or (...) == nil then return start end
    return classes[kind].methods[first](start, ...)
  end
end

lib.select = beginning("select", "columns")
lib.insert = beginning("insert", "into")
lib.update = beginning("update", "table")
lib.delete = beginning("delete", "from")

parts.builder = k.library(lib)
