--- 11.14 sql
local M = {}

local made = 0

--- Call `check` with a file of SQLite and with PostgreSQL: database, a new table's name, placeholders, a letter for which.
local function each(check)
  for _, id in ipairs { "conf.sql:file", "conf.sql:postgres" } do
    local db = assert(sql.get(id))
    local postgres = db:type() == sql.type.POSTGRES
    made = made + 1
    local name = "t" .. uuid.v4():gsub("-", "") .. made
    check(db, name, function(n) return postgres and "$" .. n or "?" end, postgres)
    assert(db:release())
  end
end

local function count(db, name) return assert(db:query("SELECT count(*) AS n FROM " .. name))[1].n end

-- on: function process
-- modules: sql uuid
--- Rows come back as tables by column; what was bound comes back alike, whatever is in it
function M.query_and_execute()
  each(function(db, t, p, postgres)
    assert(db:execute("CREATE TABLE " .. t .. " (i BIGINT, f FLOAT, s TEXT, b " .. (postgres and "BYTEA" or "BLOB") .. ", n TEXT)"))
    local hostile = "x'); DROP TABLE " .. t .. "; --"
    local insert = ("INSERT INTO %s VALUES (%s, %s, %s, %s, %s)"):format(t, p(1), p(2), p(3), p(4), p(5))
    local done = assert(db:execute(insert, { math.maxinteger, math.huge, hostile, "\0\255", sql.NULL }))
    assert(done.rows_affected == 1)
    local rows = assert(db:query("SELECT * FROM " .. t))
    assert(#rows == 1 and rows[1].i == math.maxinteger and rows[1].f == math.huge and rows[1].s == hostile)
    assert(rows[1].b == "\0\255" and rows[1].n == nil)
    done = assert(db:execute(("UPDATE %s SET i = %s"):format(t, p(1)), { -1 }))
    assert(done.rows_affected == 1)
    assert(#db:query("SELECT * FROM " .. t .. " WHERE i > 0") == 0)
  end)
end

-- on: function process
-- modules: sql uuid
--- SQLite tells the id of what was inserted, PostgreSQL by RETURNING
function M.last_insert_id()
  each(function(db, t, p, postgres)
    assert(db:execute("CREATE TABLE " .. t .. " (id " .. (postgres and "SERIAL" or "INTEGER") .. " PRIMARY KEY, s TEXT)"))
    local text = ("INSERT INTO %s (s) VALUES (%s)"):format(t, p(1))
    local done = assert(db:execute(text, { "a" }))
    if not postgres then assert(done.last_insert_id == 1) end
    assert(db:query(text .. " RETURNING id", { "b" })[1].id == 2)
  end)
end

-- on: function process
-- modules: sql uuid
--- sql.as says what a value is to the database
function M.types()
  each(function(db, t, p, postgres)
    assert(db:execute("CREATE TABLE " .. t .. " (i INTEGER, f FLOAT, s TEXT, b " .. (postgres and "BYTEA" or "BLOB") .. ", ok BOOLEAN)"))
    local insert = ("INSERT INTO %s VALUES (%s, %s, %s, %s, %s)"):format(t, p(1), p(2), p(3), p(4), p(5))
    assert(db:execute(insert, { sql.as.int(42.0), sql.as.float(2), sql.as.text(7), sql.as.binary("text"), true }))
    local row = db:query("SELECT * FROM " .. t)[1]
    assert(math.type(row.i) == "integer" and row.i == 42 and math.type(row.f) == "float" and row.s == "7")
    assert(row.b == "text" and (row.ok == true or row.ok == 1))
    assert(sql.as.null() == sql.NULL and sql.as.int(nil) == sql.NULL)
    assert(not pcall(sql.as.int, 1.5) and not pcall(sql.as.float, "x") and not pcall(sql.as.binary, 1))
  end)
end

-- on: function process
-- modules: sql
--- What Lua has no type for comes as the text of PostgreSQL; arrays are lists whose NULLs are sql.NULL
function M.postgres_types()
  local db = assert(sql.get("conf.sql:postgres"))
  local row = assert(db:query([[SELECT 1.50::numeric AS n, '2026-01-02 03:04:05+00'::timestamptz AT TIME ZONE 'UTC' AS t,
    '{"a": 1}'::jsonb AS j, ARRAY[1, NULL, 3] AS a, true AS b, interval '90 minutes' AS i]]))[1]
  assert(row.n == "1.50" and row.t == "2026-01-02 03:04:05" and row.j == '{"a": 1}' and row.b == true)
  assert(row.i == "01:30:00" and #row.a == 3 and row.a[2] == sql.NULL and row.a[3] == 3)
  assert(db:query("SELECT $1::jsonb ->> 'a' AS a", { '{"a": "x"}' })[1].a == "x")
end

-- on: function process
-- modules: sql uuid
--- A transaction is kept by commit and undone by rollback; afterwards it is not active
function M.transactions()
  each(function(db, t)
    assert(db:execute("CREATE TABLE " .. t .. " (i INTEGER)"))
    local tx = assert(db:begin({ isolation = sql.isolation.SERIALIZABLE }))
    assert(tx:db_type() == db:type())
    assert(tx:execute("INSERT INTO " .. t .. " VALUES (1)").rows_affected == 1)
    assert(tx:query("SELECT i FROM " .. t)[1].i == 1)
    assert(count(db, t) == 0)
    assert(tx:commit() == true)
    tx = assert(db:begin())
    assert(tx:execute("INSERT INTO " .. t .. " VALUES (2)"))
    assert(tx:rollback() == true)
    assert(count(db, t) == 1)
    for _, call in ipairs { tx.commit, tx.rollback, tx.db_type } do
      local ok, err = call(tx)
      assert(ok == nil and err:kind() == errors.INVALID and tostring(err):find("not active", 1, true))
    end
    local ok, err = tx:query("SELECT 1")
    assert(ok == nil and err:kind() == errors.INVALID)
  end)
end

-- on: function process
-- modules: sql uuid time
--- A transaction stays open while its unit waits, and savepoints undo parts of it
function M.savepoints()
  each(function(db, t)
    assert(db:execute("CREATE TABLE " .. t .. " (i INTEGER)"))
    local tx = assert(db:begin())
    assert(tx:execute("INSERT INTO " .. t .. " VALUES (1)"))
    assert(tx:savepoint("sp1") == true)
    assert(tx:execute("INSERT INTO " .. t .. " VALUES (2)"))
    time.sleep("5ms")
    assert(tx:rollback_to("sp1") == true)
    assert(tx:release("sp1") == true)
    local ok, err = tx:savepoint("sp; DROP")
    assert(ok == nil and err:kind() == errors.INVALID)
    ok, err = tx:rollback_to("other")
    assert(ok == nil and err:kind() == errors.INVALID)
    tx:rollback()
    assert(count(db, t) == 0)
  end)
end

-- on: function process
-- modules: sql uuid
--- A transaction that only reads does not write
function M.read_only()
  each(function(db, t)
    assert(db:execute("CREATE TABLE " .. t .. " (i INTEGER)"))
    local tx = assert(db:begin({ read_only = true }))
    local ok, err = tx:execute("INSERT INTO " .. t .. " VALUES (1)")
    assert(ok == nil and err:kind() == errors.PERMISSION_DENIED)
    tx:rollback()
    assert(db:execute("INSERT INTO " .. t .. " VALUES (1)"))
  end)
end

-- on: function process
-- modules: sql uuid
--- A prepared statement runs again and again, until it is closed or its transaction ends
function M.prepared()
  each(function(db, t, p)
    assert(db:execute("CREATE TABLE " .. t .. " (i INTEGER)"))
    local insert = assert(db:prepare(("INSERT INTO %s VALUES (%s)"):format(t, p(1))))
    for i = 1, 3 do assert(insert:execute({ i }).rows_affected == 1) end
    assert(insert:close() == true and insert:close() == true)
    local ok, err = insert:execute({ 4 })
    assert(ok == nil and err:kind() == errors.INVALID and tostring(err):find("closed", 1, true))
    local select = assert(db:prepare(("SELECT i FROM %s WHERE i >= %s ORDER BY i"):format(t, p(1))))
    assert(#select:query({ 2 }) == 2 and select:query({ 3 })[1].i == 3)
    local tx = assert(db:begin())
    local within = assert(tx:prepare("SELECT i FROM " .. t))
    assert(#within:query() == 3)
    tx:rollback()
    ok, err = within:query()
    assert(ok == nil and err:kind() == errors.INVALID)
    ok, err = db:prepare("SELECT FROM WHERE")
    assert(ok == nil and err:kind() == errors.INVALID)
  end)
end

-- on: function process
-- modules: sql uuid
--- One text is one statement, and what is wrong with it is told
function M.wrong_statements()
  each(function(db, t, p)
    assert(db:execute("CREATE TABLE " .. t .. " (i INTEGER PRIMARY KEY)"))
    local kinds = {
      ["SELECT 1; DROP TABLE " .. t] = errors.INVALID,
      ["SELEC 1"] = errors.INVALID,
      ["SELECT * FROM nowhere"] = errors.INVALID,
      [""] = errors.INVALID,
      ["SELECT " .. p(1)] = errors.INVALID,
    }
    for text, kind in pairs(kinds) do
      local rows, err = db:query(text)
      assert(rows == nil and err:kind() == kind, text)
    end
    assert(db:execute("INSERT INTO " .. t .. " VALUES (1)"))
    local done, err = db:execute("INSERT INTO " .. t .. " VALUES (1)")
    assert(done == nil and err:kind() == errors.ALREADY_EXISTS and err:retryable() == false)
    for _, params in ipairs { { {} }, { print }, { a = 1 } } do
      local rows, wrong = db:query("SELECT " .. p(1), params)
      assert(rows == nil and wrong:kind() == errors.INVALID)
    end
    assert(not pcall(db.query, db, 1) and not pcall(db.query, {}, "SELECT 1"))
  end)
end

-- on: function process
-- modules: sql
--- An endless answer is LimitExceeded, and costs nobody else the connection
function M.endless()
  local db = assert(sql.get("conf.sql:file"))
  local rows, err = db:query("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c")
  assert(rows == nil and err:kind() == "LimitExceeded")
  assert(db:query("SELECT 1 AS one")[1].one == 1)
end

-- on: function process
-- modules: sql
--- No statement of SQLite leaves its file
function M.one_file()
  local db = assert(sql.get("conf.sql:file"))
  for _, text in ipairs {
    "ATTACH '/tmp/other.db' AS o", "VACUUM INTO '/tmp/other.db'", "SELECT load_extension('x')", "PRAGMA journal_mode = OFF",
    "BEGIN", "COMMIT",
  } do
    local ok, err = db:execute(text)
    assert(ok == nil and err:kind() == errors.PERMISSION_DENIED, text .. ": " .. tostring(err))
  end
end

-- on: function process
-- modules: sql uuid
--- A transaction is begun by begin, not by a text
function M.begin_by_text()
  each(function(db, t)
    assert(db:execute("CREATE TABLE " .. t .. " (i INTEGER)"))
    local ok, err = db:execute("BEGIN")
    assert(ok == nil and (err:kind() == errors.INVALID or err:kind() == errors.PERMISSION_DENIED))
    assert(db:execute("INSERT INTO " .. t .. " VALUES (1)"))
    assert(count(db, t) == 1)
  end)
end

-- on: function process
-- modules: sql
--- A database in memory lasts from one call to the next
function M.in_memory()
  local db = assert(sql.get("conf.sql:memory"))
  assert(db:execute("CREATE TABLE IF NOT EXISTS kept (unit TEXT)"))
  assert(db:execute("INSERT INTO kept VALUES (?)", { process.pid() }))
  db:release()
  db = assert(sql.get("conf.sql:memory"))
  assert(#db:query("SELECT * FROM kept WHERE unit = ?", { process.pid() }) == 1)
end

-- on: function process
-- modules: sql
--- What is no database is told; a database that was released is Invalid; stats count connections
function M.get_release_stats()
  local kinds = { ["conf.sql:nothing"] = errors.NOT_FOUND, ["conf.sql:inert"] = errors.INVALID, [""] = errors.INVALID }
  for id, kind in pairs(kinds) do
    local db, err = sql.get(id)
    assert(db == nil and err:kind() == kind and err:retryable() == false, id)
  end
  assert(not pcall(sql.get))
  local db = assert(sql.get("conf.sql:file"))
  local stats = assert(db:stats())
  for _, name in ipairs {
    "max_open_connections", "open_connections", "in_use", "idle", "wait_count", "wait_duration", "max_idle_closed",
    "max_idle_time_closed", "max_lifetime_closed",
  } do assert(math.type(stats[name]) == "integer", name) end
  assert(stats.max_open_connections == 24)
  assert(db:release() == true)
  for _, call in ipairs { { db:type() }, { db:query("SELECT 1") }, { db:execute("SELECT 1") }, { db:begin() }, { db:stats() }, { db:release() } } do
    assert(call[1] == nil and call[2]:kind() == errors.INVALID)
  end
end

-- on: function process
-- modules: sql
--- Constants
function M.constants()
  assert(sql.type.POSTGRES == "postgres" and sql.type.MYSQL == "mysql" and sql.type.SQLITE == "sqlite" and sql.type.UNKNOWN == "unknown")
  local levels = {
    DEFAULT = "default", READ_UNCOMMITTED = "read_uncommitted", READ_COMMITTED = "read_committed",
    WRITE_COMMITTED = "write_committed", REPEATABLE_READ = "repeatable_read", SERIALIZABLE = "serializable",
  }
  for name, value in pairs(levels) do assert(sql.isolation[name] == value) end
  assert(type(sql.NULL) == "userdata" and tostring(sql.NULL) == "NULL")
  local db = assert(sql.get("conf.sql:file"))
  local tx, err = db:begin({ isolation = "other" })
  assert(tx == nil and err:kind() == errors.INVALID)
end

return M
