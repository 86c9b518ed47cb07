--- 11.15 sql.builder
local M = {}

local function same(query, wanted, ...)
  local text, args = query:to_sql()
  assert(text == wanted, tostring(text) .. "\nwanted " .. wanted)
  local values = { ... }
  assert(#args == #values, text)
  for i, value in ipairs(values) do assert(args[i] == value, text) end
end

local function refused(query)
  local text, err = query:to_sql()
  assert(text == nil and err:kind() == errors.INVALID, tostring(text))
end

-- on: function process
-- modules: sql
--- SELECT, clause by clause
function M.select()
  local b = sql.builder
  same(b.select("id", "name"):from("users"):where({ active = 1 }), "SELECT id, name FROM users WHERE active = ?", 1)
  same(b.select():columns("a"):from("t"):distinct(), "SELECT DISTINCT a FROM t")
  same(
    b.select("u.id", "COUNT(o.id) as n"):from("users u"):left_join("orders o ON o.user_id = u.id AND o.state = ?", "paid")
      :where(b.and_({ b.eq({ ["u.active"] = 1 }), b.gte({ ["u.score"] = 80 }) }))
      :group_by("u.id"):having(b.gt({ ["COUNT(o.id)"] = 0 })):order_by("n DESC", "u.id"):limit(10):offset(20)
      :suffix("FOR UPDATE"),
    "SELECT u.id, COUNT(o.id) as n FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.state = ? "
      .. "WHERE (u.active = ? AND u.score >= ?) GROUP BY u.id HAVING COUNT(o.id) > ? ORDER BY n DESC, u.id LIMIT 10 OFFSET 20 FOR UPDATE",
    "paid", 1, 80, 0
  )
  same(b.select("*"):from("a"):join("b ON 1"):right_join("c ON 2"):inner_join("d ON 3"), "SELECT * FROM a JOIN b ON 1 RIGHT JOIN c ON 2 INNER JOIN d ON 3")
  same(b.select("1"):where("a = ? OR b = ?", 1, 2):where("c = ?", 3), "SELECT 1 WHERE (a = ? OR b = ?) AND c = ?", 1, 2, 3)
end

-- on: function process
-- modules: sql
--- Conditions: NULL, lists, comparisons, expressions, queries within
function M.conditions()
  local b = sql.builder
  local function where(condition, wanted, ...) same(b.select("1"):where(condition), "SELECT 1 WHERE " .. wanted, ...) end
  where({ b = 1, a = sql.NULL }, "a IS NULL AND b = ?", 1)
  where(b.not_eq({ a = sql.NULL, b = { 1, 2 }, c = 3 }), "a IS NOT NULL AND b NOT IN (?,?) AND c <> ?", 1, 2, 3)
  where(b.eq({ a = { "x", "y" } }), "a IN (?,?)", "x", "y")
  where(b.eq({ a = {} }), "(1=0)")
  where(b.lt({ a = 1 }), "a < ?", 1)
  where(b.lte({ a = 1 }), "a <= ?", 1)
  where(b.like({ a = "x%" }), "a LIKE ?", "x%")
  where(b.not_like({ a = "x%" }), "a NOT LIKE ?", "x%")
  where(b.or_({ { a = 1 }, b.gt({ b = 2 }) }), "(a = ? OR b > ?)", 1, 2)
  where(b.expr("score BETWEEN ? AND ?", 80, 90), "score BETWEEN ? AND ?", 80, 90)
  where(b.expr("a = '?' AND b = ?", 1), "a = '?' AND b = ?", 1)
  where({ a = b.select("id"):from("t"):where({ x = 1 }) }, "a IN (SELECT id FROM t WHERE x = ?)", 1)
end

-- on: function process
-- modules: sql
--- INSERT, UPDATE and DELETE
function M.writing()
  local b = sql.builder
  same(b.insert("users"):columns("name", "email"):values("alice", "a@x"), "INSERT INTO users (name,email) VALUES (?,?)", "alice", "a@x")
  same(b.insert():into("t"):columns("a", "b"):values(1, nil):values(2, sql.NULL), "INSERT INTO t (a,b) VALUES (?,?),(?,?)", 1, sql.NULL, 2, sql.NULL)
  same(b.insert("t"):set_map({ b = 2, a = b.expr("lower(?)", "X") }):suffix("RETURNING id"), "INSERT INTO t (a,b) VALUES (lower(?),?) RETURNING id", "X", 2)
  same(b.insert("t"):columns("a"):select(b.select("a"):from("s"):where({ x = 1 })), "INSERT INTO t (a) SELECT a FROM s WHERE x = ?", 1)
  same(b.insert("t"):options("OR", "IGNORE"):values(1), "INSERT OR IGNORE INTO t VALUES (?)", 1)
  same(b.insert("t"):prefix("INSERT IGNORE INTO"):values(1), "INSERT IGNORE INTO t VALUES (?)", 1)
  same(b.update("t"):set("b", 1):set("a", b.expr("NOW()")):where({ id = 3 }), "UPDATE t SET b = ?, a = NOW() WHERE id = ?", 1, 3)
  same(b.update():table("t"):set_map({ b = 2, a = 1 }):from("s"):where("s.id = t.id"):limit(1), "UPDATE t SET a = ?, b = ? FROM s WHERE s.id = t.id LIMIT 1", 1, 2)
  same(b.update("t"):set("a", 1):from_select(b.select("*"):from("s"), "x"), "UPDATE t SET a = ? FROM (SELECT * FROM s) AS x", 1)
  same(b.delete("t"):where({ a = 0 }):order_by("b ASC"):limit(5):offset(1), "DELETE FROM t WHERE a = ? ORDER BY b ASC LIMIT 5 OFFSET 1", 0)
  same(b.delete():from("t"), "DELETE FROM t")
end

-- on: function process
-- modules: sql
--- Placeholders as the database wants them; `??` is a question mark
function M.placeholders()
  local b = sql.builder
  local query = b.select("1"):where("a = ? AND b ?? 'k' AND c = ?", 1, 2)
  same(query, "SELECT 1 WHERE a = ? AND b ? 'k' AND c = ?", 1, 2)
  same(query:placeholder_format(b.dollar), "SELECT 1 WHERE a = $1 AND b ? 'k' AND c = $2", 1, 2)
  same(query:placeholder_format(b.at), "SELECT 1 WHERE a = @p1 AND b ? 'k' AND c = @p2", 1, 2)
  same(query:placeholder_format(b.colon), "SELECT 1 WHERE a = :1 AND b ? 'k' AND c = :2", 1, 2)
  assert(b.default_placeholder == b.question)
end

-- on: function process
-- modules: sql
--- A builder does not change: each step is a new one
function M.immutable()
  local base = sql.builder.select("a"):from("t")
  local one, two = base:where({ x = 1 }), base:where({ y = 2 })
  same(base, "SELECT a FROM t")
  same(one, "SELECT a FROM t WHERE x = ?", 1)
  same(two, "SELECT a FROM t WHERE y = ?", 2)
end

-- on: function process
-- modules: sql
--- No text that came from elsewhere becomes part of a statement where a name belongs
function M.names()
  local b = sql.builder
  for _, name in ipairs { "a; DROP TABLE t", "a--", "a = 1 OR 1", "a' OR 'x", "(SELECT 1)", "a,b", "", "f(g(x))", "a\0b" } do
    refused(b.select("1"):where({ [name] = 1 }))
    refused(b.select("1"):from(name))
    refused(b.select("1"):order_by(name))
    refused(b.insert("t"):columns(name):values(1))
    refused(b.insert(name):values(1))
    refused(b.update("t"):set(name, 1))
    refused(b.update("t"):set_map({ [name] = 1 }))
    refused(b.delete(name))
  end
  same(b.select("1"):from('"odd name"'), 'SELECT 1 FROM "odd name"')
  same(b.select("1"):from("s.t AS x"):order_by("x.a desc nulls last"), "SELECT 1 FROM s.t AS x ORDER BY x.a desc nulls last")
  same(b.select("1"):order_by(b.expr("a IS NULL")), "SELECT 1 ORDER BY a IS NULL")
end

-- on: function process
-- modules: sql
--- What is missing or too much is Invalid; what is no argument raises
function M.misuse()
  local b = sql.builder
  refused(b.select():from("t"))
  refused(b.insert("t"))
  refused(b.insert():values(1))
  refused(b.insert("t"):columns("a", "b"):values(1))
  refused(b.update("t"))
  refused(b.delete("t"):where({}))
  refused(b.update("t"):set("a", 1):where({}))
  refused(b.select("1"):where("a = ?"))
  refused(b.select("1"):where("a = 1", 2))
  refused(b.select("1"):where({ a = print }))
  refused(b.select("1"):where(b.lt({ a = sql.NULL })))
  assert(not pcall(b.select, 1) and not pcall(b.eq, 1) and not pcall(b.expr) and not pcall(function() b.select("1"):limit(-1) end))
  assert(not pcall(function() b.select("1"):placeholder_format("?") end) and not pcall(function() b.select("1"):run_with({}) end))
end

-- on: function process
-- modules: sql
--- Names and prefixes of any length are looked at in a moment
function M.long_texts()
  local b, spaces = sql.builder, (" "):rep(1000000)
  for _, long in ipairs { "f(a" .. spaces .. "b)", "a" .. spaces .. "b", ("I"):rep(1000000), ("a."):rep(500000) .. "b" } do
    refused(b.select("1"):from(long))
    refused(b.select("1"):order_by(long))
    refused(b.select("1"):group_by(long))
    refused(b.select("1"):where({ [long] = 1 }))
    refused(b.insert("t"):set_map({ [long] = 1 }))
    assert(b.insert("t"):prefix(long):values(1):to_sql())
  end
  local map = {}
  for i = 1, 3000 do map["c" .. i] = i end
  refused(b.insert("t"):set_map(map))
end

-- on: function process
-- modules: sql uuid
--- run_with runs it, with the placeholders of that database
function M.running()
  local b = sql.builder
  for _, id in ipairs { "conf.sql:file", "conf.sql:postgres" } do
    local db = assert(sql.get(id))
    local t = "b" .. uuid.v4():gsub("-", "")
    assert(db:execute("CREATE TABLE " .. t .. " (id INTEGER, name TEXT, price FLOAT)"))
    local insert = b.insert(t):columns("id", "name", "price"):values(1, "it's", sql.as.float(19.99)):values(2, sql.NULL, nil)
    assert(insert:run_with(db):exec().rows_affected == 2)
    local tx = assert(db:begin())
    assert(b.update(t):set("name", "x"):where({ name = sql.NULL }):run_with(tx):exec().rows_affected == 1)
    tx:commit()
    local executor = b.select("*"):from(t):where(b.gte({ id = 1 })):order_by("id"):run_with(db)
    local rows = assert(executor:query())
    assert(#rows == 2 and rows[1].name == "it's" and rows[1].price == 19.99 and rows[2].name == "x" and rows[2].price == nil)
    local text, args = executor:to_sql()
    assert(text:find(db:type() == "postgres" and "$1" or "?", 1, true) and args[1] == 1)
    local found, err = b.delete(t):where({}):run_with(db):exec()
    assert(found == nil and err:kind() == errors.INVALID)
  end
end

return M
