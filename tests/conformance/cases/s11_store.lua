--- 11.13 store
local M = {}

local BOTH = { "conf.store:memory", "conf.store:table" }

local function keys(page)
  local found = {}
  for i, entry in ipairs(page.items) do found[i] = entry.key end
  return table.concat(found, " ")
end

local function set_get_delete(cache, key)
  local value, err = cache:get(key)
  assert(value == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false)
  assert(cache:has(key) == false)
  assert(cache:set(key, "Alice") == true)
  assert(cache:get(key) == "Alice" and cache:has(key) == true)
  assert(cache:delete(key) == true)
  assert(cache:delete(key) == false and cache:has(key) == false)
end

-- on: function process
-- modules: store uuid
--- What is set is got, by its key, until it is deleted
function M.set_get_delete()
  for _, id in ipairs(BOTH) do set_get_delete(store.get(id), uuid.v4()) end
end

local function exact_values(cache, key)
  local bytes = "\0\255\128"
  assert(cache:set(key, {
    int = 1, float = 1.0, big = math.maxinteger, tiny = 5e-324, inf = math.huge, no = false, bytes = bytes,
    [7] = "seven", [1.5] = "half", [true] = "yes", [bytes] = 1,
    nested = { { "a", {} }, ["$bytes"] = "text" }, only = { ["$pairs"] = 1 },
  }))
  local got = assert(cache:get(key))
  assert(math.type(got.int) == "integer" and math.type(got.float) == "float" and got.float == 1)
  assert(got.big == math.maxinteger and got.tiny == 5e-324 and got.inf == math.huge and got.no == false)
  assert(got.bytes == bytes and got[bytes] == 1 and got[7] == "seven" and got[1.5] == "half" and got[true] == "yes")
  assert(got.nested[1][1] == "a" and next(got.nested[1][2]) == nil and got.nested["$bytes"] == "text")
  assert(got.only["$pairs"] == 1)
  for _, value in ipairs { 0, -1, 0.5, "", "text", bytes, false, true } do
    assert(cache:set(key, value))
    local back, err = cache:get(key)
    assert(back == value and math.type(back) == math.type(value) and err == nil)
  end
  assert(cache:set(key, 0 / 0))
  local nan = cache:get(key)
  assert(nan ~= nan)
end

-- on: function process
-- modules: store uuid
--- Values come back as they went: numbers of both types, bytes, false, keys of any type, what nests
function M.exact_values()
  for _, id in ipairs(BOTH) do exact_values(store.get(id), uuid.v4()) end
end

-- on: function process
-- modules: store uuid
--- What is kept is a copy
function M.copies()
  local cache, key = assert(store.get("conf.store:memory")), uuid.v4()
  local value = { list = { 1 } }
  cache:set(key, value)
  value.list[1] = 2
  local first = cache:get(key)
  assert(first.list[1] == 1)
  first.list[1] = 3
  assert(cache:get(key).list[1] == 1)
end

-- on: function process
-- modules: store uuid time
--- What has expired is not there; 0 is for ever, and a new value has its own time
function M.expiry()
  local cache, brief, long = assert(store.get("conf.store:memory")), uuid.v4(), uuid.v4()
  assert(cache:set(brief, 1, 0.02) and cache:set(long, 1, 0.02) and cache:set(long, 2, 0))
  time.sleep("50ms")
  local _, err = cache:get(brief)
  assert(err:kind() == errors.NOT_FOUND and not cache:has(brief) and not cache:delete(brief))
  assert(cache:get(long) == 2)
  assert(cache:put(brief, 3, { only_if_absent = true }))
end

-- on: function process
-- modules: store uuid
--- A version changes with each write, and a write may ask for one, or for none
function M.conditional_writes()
  local cache, key = assert(store.get("conf.store:memory")), uuid.v4()
  local made = assert(cache:put(key, "one", { only_if_absent = true }))
  assert(made.key == key and made.value == "one" and type(made.version) == "string")
  local _, err = cache:put(key, "two", { only_if_absent = true })
  assert(err:kind() == errors.ALREADY_EXISTS and err:retryable() == false)
  local changed = assert(cache:put(key, "two", { if_version = made.version, ttl = 60 }))
  assert(changed.version ~= made.version and cache:entry(key).version == changed.version)
  _, err = cache:put(key, "three", { if_version = made.version })
  assert(err:kind() == errors.CONFLICT and err:retryable() == true and cache:get(key) == "two")
  cache:delete(key)
  _, err = cache:put(key, "three", { if_version = changed.version })
  assert(err:kind() == errors.CONFLICT)
  _, err = cache:put(key, 1, { only_if_absent = true, if_version = "1" })
  assert(err:kind() == errors.INVALID)
end

local function list(cache, own)
  for _, name in ipairs { "b", "ä", "a", "c", "Z", "😀" } do cache:set(own .. name, name) end
  local page = assert(cache:list { prefix = own, limit = 4 })
  assert(keys(page) == own .. "Z " .. own .. "a " .. own .. "b " .. own .. "c" and page.has_more == true)
  assert(page.items[1].value == "Z" and page.items[1].version == cache:entry(own .. "Z").version)
  page = assert(cache:list { prefix = own, after = page.cursor, limit = 2 })
  assert(keys(page) == own .. "ä " .. own .. "😀" and page.has_more == false)
  page = assert(cache:list { prefix = own, after = page.cursor })
  assert(#page.items == 0 and page.has_more == false)
  local _, err = cache:list { limit = 0 }
  assert(err:kind() == errors.INVALID)
end

-- on: function process
-- modules: store uuid
--- Keys are listed in the order of their bytes, by prefix, page after page
function M.list()
  for _, id in ipairs(BOTH) do list(store.get(id), uuid.v4()) end
end

-- on: function process
-- modules: store uuid
--- What a store can't keep is Invalid, and names the limit
function M.refusals()
  local cache, key = assert(store.get("conf.store:memory")), uuid.v4()
  local wrong = {
    { cache:set("", 1) }, { cache:set("\255", 1) }, { cache:set("a\0b", 1) }, { cache:set(("k"):rep(1025), 1) },
    { cache:set(key, nil) }, { cache:set(key, 1, -1) }, { cache:set(key, 1, 0 / 0) }, { cache:set(key, 1, math.huge) },
    { cache:set(key, ("x"):rep(5000000)) }, { cache:get("") }, { cache:put(key, 1, { if_version = "" }) },
  }
  for i, each in ipairs(wrong) do assert(each[1] == nil and each[2]:kind() == errors.INVALID, i) end
  assert(not pcall(cache.set, cache, 1, 1) and not pcall(cache.get, cache) and not pcall(cache.set, cache, key, 1, "1s"))
  assert(not pcall(cache.put, cache, key, 1, { ttl = "1" }) and not pcall(cache.list, cache, { limit = 1.5 }))
  assert(not pcall(cache.get, {}, key) and not cache:has(key))
end

-- on: function process
-- modules: store uuid
--- A store in a table writes without conditions alone, and its entries have no versions
function M.of_sql()
  local cache, key = assert(store.get("conf.store:table")), uuid.v4()
  for _, options in ipairs { { only_if_absent = true }, { if_version = "1" } } do
    local entry, err = cache:put(key, 1, options)
    assert(entry == nil and err:kind() == errors.INVALID and not cache:has(key))
  end
  local entry = assert(cache:put(key, { a = 1 }, { ttl = 60 }))
  assert(entry.key == key and entry.value.a == 1 and entry.version == "" and cache:entry(key).version == "")
end

-- on: function process
-- modules: store
--- A full store refuses new keys and more bytes, and goes on with those that it has
function M.full()
  local small = assert(store.get("conf.store:small"))
  assert(small:set("a", 1) and small:set("b", 1))
  local ok, err = small:set("c", 1)
  assert(ok == nil and err:kind() == "LimitExceeded" and tostring(err):find("conf.store:small", 1, true))
  assert(small:set("a", 2))
  ok, err = small:set("a", ("x"):rep(2000))
  assert(ok == nil and err:kind() == "LimitExceeded" and small:get("a") == 2)
end

-- on: function process
-- modules: store
--- What a store can do is told by its kind
function M.info()
  local info = assert(assert(store.get("conf.store:memory")):info())
  assert(info.id == "conf.store:memory" and info.backend == store.backend.MEMORY)
  assert(info.consistency == store.consistency.LOCAL and info.durable == false)
  assert(info.list and info.versioned and info.conditional_put and info.ttl)
  info = assert(assert(store.get("conf.store:table")):info())
  assert(info.backend == store.backend.SQL and info.durable and not info.versioned and not info.conditional_put)
end

-- on: function process
-- modules: store
--- What is no store is NotFound; an empty id, and a store that was released, are Invalid
function M.no_store()
  for _, id in ipairs { "conf.store:nothing", "memory", "conf:processes", "conf.store:raft" } do
    local cache, err = store.get(id)
    assert(cache == nil and err:kind() == errors.NOT_FOUND and tostring(err):find(id, 1, true), id)
  end
  local _, err = store.get("")
  assert(err:kind() == errors.INVALID)
  local cache = store.get("conf.store:memory")
  assert(cache:release() == true and cache:release() == true)
  local calls = {
    { cache:get("a") }, { cache:set("a", 1) }, { cache:has("a") }, { cache:delete("a") }, { cache:entry("a") },
    { cache:put("a", 1) }, { cache:list() }, { cache:info() },
  }
  for _, each in ipairs(calls) do assert(each[1] == nil and each[2]:kind() == errors.INVALID) end
end

return M
