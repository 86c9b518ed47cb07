-- Databases that entries name (docs/lua.md#sql); the host has the connections, a unit numbers of what it holds.
local k = ...
local raw = k.raw
local type, error, find = raw.type, raw.error, raw.string.find
local parts = k.sql_parts

local MOST_PARAMS = 32766
local db, stmt, tx = {}, {}, {}
local db_class, stmt_class, tx_class = k.class("sql.DB", db), k.class("sql.Statement", stmt), k.class("sql.Transaction", tx)

local isolation = {
  DEFAULT = "default", READ_UNCOMMITTED = "read_uncommitted", READ_COMMITTED = "read_committed",
  WRITE_COMMITTED = "write_committed", REPEATABLE_READ = "repeatable_read", SERIALIZABLE = "serializable",
}
local levels = {}
for _, level in raw.next, isolation do levels[level] = true end

local function want_text(v, what)
  if type(v) ~= "string" then error(what .. " (string) expected, got " .. k.lib.typeof(v), 3) end
end

-- --- what is bound ------------------------------------------------------------------------------

local function length_of(params)
  local n = 0
  for key in raw.next, params do
    if raw.math.type(key) ~= "integer" or key < 1 then return nil, k.invalid("params must be a list") end
    if key > n then n = key end
  end
  if n > MOST_PARAMS then return nil, k.invalid("params: at most " .. MOST_PARAMS) end
  return n
end

--- A value and the letter of its kind; nothing when it can't be bound.
local function of(v)
  if v == nil then return false, "n" end
  local class = k.class_of(v)
  if class == "sql.Value" then return v[k.S].value, v[k.S].kind end
  local kind = type(v)
  if kind == "string" or kind == "number" or kind == "boolean" then return v, "." end
end

--- The list of values and their kinds, or nil and an error (Invalid).
local function bound(params)
  if params == nil then return {}, "" end
  if type(params) ~= "table" or k.is_object(params) then return nil, k.invalid("params (table) expected") end
  params = k.reveal(params)
  local n, err = length_of(params)
  if not n then return nil, err end
  local values, kinds = {}, {}
  for i = 1, n do
    local value, kind = of(raw.rawget(params, i))
    if not kind then
      return nil, k.invalid("parameter " .. i .. ": a " .. k.lib.typeof(raw.rawget(params, i)) .. " can't be bound: encode it, as by json.encode")
    end
    values[i], kinds[i] = value, kind
  end
  return values, raw.table.concat(kinds)
end

--- Rows of an answer, which comes by columns; NULLs in arrays are sql.NULL, so that these have no holes.
local function rows_of(answer, err)
  if not answer then return nil, err end
  local columns, cells, nulls = answer.columns, answer.cells, answer.nulls
  for i = 1, #nulls do
    local array, places = cells[nulls[i][1]][nulls[i][2]], nulls[i][3]
    for j = 1, #places do array[places[j]] = parts.NULL end
  end
  local rows, width = {}, #columns
  for i = 1, answer.count do
    local row = {}
    for j = 1, width do row[columns[j]] = cells[j][i] end
    rows[i] = row
  end
  return rows, nil
end

-- --- databases ----------------------------------------------------------------------------------

local function open_db(self)
  local state = k.self(self, db_class, "sql.DB")
  if state.released then return nil, k.invalid("database is released") end
  return state
end

--- Ask about a database's text and values: the answer, err.
local function ask_db(name, self, text, params)
  local state, err = open_db(self)
  if not state then return nil, err end
  local values, kinds = bound(params)
  if not values then return nil, kinds end
  return k.ask(name, state.id, text, values, kinds)
end

db["type"] = function(self)
  local state, err = open_db(self)
  return state and state.type, err
end

function db.query(self, text, params)
  want_text(text, "query: sql")
  return rows_of(ask_db("sql.query", self, text, params))
end

function db.execute(self, text, params)
  want_text(text, "execute: sql")
  return ask_db("sql.execute", self, text, params)
end

local function statement(number, err, id, within)
  if not number then return nil, err end
  return k.new(stmt_class, { number = number, id = id, within = within }), nil
end

--- A statement that was parsed: Statement, err.
function db.prepare(self, text)
  want_text(text, "prepare: sql")
  local state, err = open_db(self)
  if not state then return nil, err end
  local number
  number, err = k.ask("sql.prepare", state.id, text)
  return statement(number, err, state.id)
end

local function transaction_options(options)
  if options == nil then return "default", false end
  if type(options) ~= "table" or k.is_object(options) then return nil, k.invalid("begin: options (table) expected") end
  options = k.reveal(options)
  local level, read_only = raw.rawget(options, "isolation"), raw.rawget(options, "read_only")
  if level == nil then level = "default" end
  if not levels[level] then return nil, k.invalid("begin: isolation must be one of sql.isolation") end
  return level, read_only == true
end

--- An open transaction: Transaction, err.
function db.begin(self, options)
  local state, err = open_db(self)
  if not state then return nil, err end
  local level, read_only = transaction_options(options)
  if not level then return nil, read_only end
  local number
  number, err = k.ask("sql.begin", state.id, level, read_only)
  if not number then return nil, err end
  return k.new(tx_class, { number = number, id = state.id, type = state.type }), nil
end

function db.release(self)
  local state, err = open_db(self)
  if not state then return nil, err end
  state.released = true
  return true, nil
end

function db.stats(self)
  local state, err = open_db(self)
  if not state then return nil, err end
  return k.ask("sql.stats", state.id)
end

-- --- transactions -------------------------------------------------------------------------------

local function open_tx(self)
  local state = k.self(self, tx_class, "sql.Transaction")
  if state.ended then return nil, k.invalid("transaction is not active") end
  return state
end

local function ask_tx(name, self, text, params)
  local state, err = open_tx(self)
  if not state then return nil, err end
  local values, kinds = bound(params)
  if not values then return nil, kinds end
  return k.ask(name, state.number, state.id, text, values, kinds)
end

function tx.db_type(self)
  local state, err = open_tx(self)
  return state and state.type, err
end

function tx.query(self, text, params)
  want_text(text, "query: sql")
  return rows_of(ask_tx("sql.tx.query", self, text, params))
end

function tx.execute(self, text, params)
  want_text(text, "execute: sql")
  return ask_tx("sql.tx.execute", self, text, params)
end

function tx.prepare(self, text)
  want_text(text, "prepare: sql")
  local state, err = open_tx(self)
  if not state then return nil, err end
  local number
  number, err = k.ask("sql.tx.prepare", state.number, state.id, text)
  return statement(number, err, state.id, state)
end

local function ending(verb)
  return function(self)
    local state, err = open_tx(self)
    if not state then return nil, err end
    state.ended = true -- whatever the database answers
    return k.ask("sql.tx.end", state.number, state.id, verb)
  end
end

tx.commit, tx.rollback = ending("COMMIT"), ending("ROLLBACK")

local function savepoint(verb)
  return function(self, name)
    want_text(name, "savepoint")
    local state, err = open_tx(self)
    if not state then return nil, err end
    if #name > 60 or not find(name, "^[%w_]+$") then
      return nil, k.invalid("savepoint name: letters, digits and underscores only, at most 60")
    end
    return k.ask("sql.tx.savepoint", state.number, state.id, verb, name)
  end
end

tx.savepoint, tx.rollback_to, tx.release = savepoint("SAVEPOINT"), savepoint("ROLLBACK TO SAVEPOINT"), savepoint("RELEASE SAVEPOINT")

-- --- prepared statements ------------------------------------------------------------------------

local function ask_stmt(name, self, params)
  local state = k.self(self, stmt_class, "sql.Statement")
  if state.closed then return nil, k.invalid("statement is closed") end
  if state.within and state.within.ended then return nil, k.invalid("transaction is not active") end
  local values, kinds = bound(params)
  if not values then return nil, kinds end
  return k.ask(name, state.number, state.id, values, kinds)
end

function stmt.query(self, params) return rows_of(ask_stmt("sql.stmt.query", self, params)) end

function stmt.execute(self, params) return ask_stmt("sql.stmt.execute", self, params) end

function stmt.close(self)
  local state = k.self(self, stmt_class, "sql.Statement")
  if state.closed then return true, nil end
  state.closed = true
  return k.ask("sql.stmt.close", state.number, state.id)
end

-- --- what builders run with ---------------------------------------------------------------------

--- How a builder's statement is run with a database or transaction: its type, query, execute; or nothing.
function parts.runner(with)
  local class = k.class_of(with)
  if class == "sql.DB" then return with[k.S].type, db.query, db.execute end
  if class == "sql.Transaction" then return with[k.S].type, tx.query, tx.execute end
end

local lib = {}

--- A database by the id of its entry: DB, err.
function lib.get(id)
  want_text(id, "sql.get: id")
  if id == "" then return nil, k.invalid("database id is required") end
  local ok, err = k.allowed("db.get", id)
  if not ok then return nil, err end
  local dialect
  dialect, err = k.ask("sql.get", id)
  if not dialect then return nil, err end
  return k.new(db_class, { id = id, type = dialect }), nil
end

lib.type = k.library { POSTGRES = "postgres", MYSQL = "mysql", SQLITE = "sqlite", UNKNOWN = "unknown" }
lib.isolation = k.library(isolation)
lib.NULL = parts.NULL
lib.as = parts.as
lib.builder = parts.builder

k.modules.sql = k.library(lib)
