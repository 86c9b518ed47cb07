--- 1.3 Globals and require
local M = {}

--- What is always there: process, channel, payload, errors, os, string, table, math, coroutine, print, subscribe, unsubscribe, require, package
function M.always_there()
  for _, name in ipairs { "process", "channel", "payload", "errors", "os", "string", "table", "math", "coroutine", "package" } do
    assert(type(_G[name]) == "table", name)
  end
  for _, name in ipairs { "print", "subscribe", "unsubscribe", "require", "unpack" } do
    assert(type(_G[name]) == "function", name)
  end
end

--- Standard and module tables are read-only
function M.libraries_are_read_only()
  for _, name in ipairs { "process", "channel", "payload", "errors", "os", "string", "table", "math", "coroutine" } do
    local t = _G[name]
    assert(not pcall(function() t.mine = 1 end), name .. " can be extended")
    assert(not pcall(rawset, t, "mine", 1), name .. " can be extended by rawset")
    assert(t.mine == nil)
  end
  assert(not pcall(function() string.find = nil end))
end

-- modules: json time
--- Every declared module is a global too; require is a lookup of it
function M.modules_are_globals()
  assert(require("json") == json and require("time") == time)
  assert(type(json.encode) == "function")
  assert(not pcall(function() json.encode = nil end), "a module is read-only")
end

--- require finds process, channel, errors and payload without their being listed
function M.require_of_globals()
  assert(require("errors") == errors and require("process") == process)
  assert(require("channel") == channel and require("payload") == payload)
  assert(require("string") == string and require("math") == math and require("table") == table)
end

--- require of something undeclared raises a string: module 'x' not found
function M.require_of_the_undeclared()
  for _, name in ipairs { "json", "nowhere" } do
    local ok, why = pcall(require, name)
    assert(not ok and type(why) == "string", "raises a string")
    assert(why:find("module '" .. name .. "' not found", 1, true), why)
  end
  assert(json == nil, "an undeclared module is no global")
end

--- A walk may clear the entries that it comes to, as in Lua, and misses none
function M.walks_that_clear()
  local s = { [1] = "a", [2] = "b", [10] = "c", [20] = "d" }
  for id in pairs(s) do s[id] = nil end
  assert(next(s) == nil)
  local t, walked = { 1, 2, [4] = 4 }, 0
  for k in pairs(t) do
    walked = walked + 1
    if k == 1 then t[1] = nil end
  end
  assert(walked == 3, walked)
end

--- What could reach the machine, or code, is missing
function M.missing_for_safety()
  for _, name in ipairs { "load", "loadstring", "loadfile", "dofile", "collectgarbage", "rawlen", "io", "debug", "utf8" } do
    assert(_G[name] == nil, name)
  end
  for _, name in ipairs { "execute", "exit", "remove", "rename", "tmpname", "getenv" } do
    assert(os[name] == nil, "os." .. name)
  end
  assert(string.dump == nil)
end

--- unpack, table.create, getn and maxn, and the functions that math lost, are there
function M.what_5_4_lacks()
  assert(select("#", unpack({ 1, 2, 3 })) == 3)
  local t = table.create(4, 2)
  assert(type(t) == "table" and next(t) == nil)
  t[1] = "x"
  assert(table.getn(t) == 1 and table.maxn({ [5] = true, x = 1 }) == 5)
  assert(math.pow(2, 3) == 8 and math.log10(100) == 2 and math.ldexp(1, 3) == 8)
  assert(math.atan2(0, 1) == 0 and math.sinh(0) == 0 and math.cosh(0) == 1 and math.tanh(0) == 0)
  local m, e = math.frexp(8)
  assert(m == 0.5 and e == 4)
end

--- os has time, date, clock, difftime and platform
function M.os_functions()
  assert(type(os.time()) == "number" and math.type(os.time()) == "integer")
  assert(os.date("%Y-%m-%d", 0) == "1970-01-01" and os.date("!%H", 3600) == "01")
  assert(os.date("*t", 86400).day == 2)
  assert(type(os.clock()) == "number" and os.difftime(5, 3) == 2)
  assert(os.platform == "wippy")
end

--- os.time of a table takes midnight when it has no hour, and today for a year, month or day that it lacks
function M.os_time_is_midnight()
  assert(os.time { year = 1970, month = 1, day = 2 } == 86400)
  assert(os.time { year = 1970, month = 1, day = 1, hour = 1, min = 2, sec = 3 } == 3723)
  local midnight = os.time {}
  assert(midnight % 86400 == 0 and midnight <= os.time())
  assert(os.date("%m-%d", os.time { month = 2, day = 3 }) == "02-03")
  assert(os.date("%Y", os.time { month = 2 }) == os.date("%Y", midnight))
end

--- print takes anything and returns nothing
function M.print_takes_anything()
  assert(select("#", print("a", 1, nil, {}, true)) == 0)
end

--- table.freeze, or make_immutable, makes the table itself read-only
function M.make_immutable()
  local t = { a = 1, 2, 3 }
  local same = table.make_immutable(t)
  assert(same == t and table.is_immutable(t) and table.isfrozen(t) and table.freeze(t) == t)
  assert(not pcall(function() t.a = 2 end) and not pcall(function() t.b = 2 end) and not pcall(rawset, t, "a", 2))
  assert(t.a == 1 and #t == 2 and t[2] == 3)
  local seen = {}
  for key, value in pairs(t) do seen[key] = value end
  assert(seen.a == 1 and seen[1] == 2 and seen[2] == 3, "can be iterated")
  assert(not table.is_immutable({}) and not table.isfrozen({}))
  local frozen = table.freeze({ b = 1 })
  assert(table.isfrozen(frozen) and not pcall(function() frozen.b = 2 end))
end

--- subscribe and unsubscribe are listen and unlisten
function M.subscribe()
  local news = subscribe("news")
  assert(news == process.listen("news"))
  process.send(process.pid(), "news", 1)
  assert(news:receive() == 1)
  assert(unsubscribe(news) == true)
end

--- _G reads and writes globals of the entry itself
function M.own_globals()
  mine = 1
  assert(_G.mine == 1)
  _G.yours = 2
  assert(yours == 2)
end

--- string(x) gives text unchanged and raises for anything else
function M.string_cast()
  assert(string("text") == "text")
  assert(not pcall(string, 7) and not pcall(string, nil) and not pcall(string, {}))
end

return M
