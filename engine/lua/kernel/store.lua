-- Key-value stores that entries declare (docs/lua.md#store); the host keeps them.
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error
local methods = {}
local class = k.class("store.Store", methods)

local function want(v, wanted, what)
  if type(v) ~= wanted then error("store: " .. what .. " (" .. wanted .. ") expected, got " .. k.std.type(v), 3) end
end

local function want_options(v, what)
  if v ~= nil and (type(v) ~= "table" or k.is_object(v)) then error("store: " .. what .. ": options (table) expected", 3) end
  return v or {}
end

--- The id of a store that the unit may use so: id, err. `about` is what policies read as `meta.*`.
local function usable(self, action, about)
  local state = k.self(self, class, "store.Store")
  if state.released then return nil, k.invalid("store is released") end
  about.pid = k.pid
  local ok, err = k.allowed(action, state.id, about)
  if not ok then return nil, err end
  return state.id
end

local function read(self, key)
  local id, err = usable(self, "store.key.get", { key = key })
  if not id then return nil, err end
  return k.ask("store.read", id, key)
end

local function write(self, key, value, ttl, absent, version)
  local id, err = usable(self, "store.key.set", { key = key })
  if not id then return nil, err end
  return k.ask("store.write", id, key, value, ttl or 0, absent or false, version or "")
end

function methods.get(self, key)
  want(key, "string", "key")
  local entry, err = read(self, key)
  if err then return nil, err end
  return entry.value, nil
end

--- {key, value, version}, err.
function methods.entry(self, key)
  want(key, "string", "key")
  return read(self, key)
end

--- true, err. `ttl` in seconds; 0 is for ever.
function methods.set(self, key, value, ttl)
  want(key, "string", "key")
  if ttl ~= nil then want(ttl, "number", "ttl") end
  local _, err = write(self, key, value, ttl)
  if err then return nil, err end
  return true, nil
end

--- The new {key, value, version}, err.
function methods.put(self, key, value, options)
  want(key, "string", "key")
  options = want_options(options, "put")
  local ttl, absent, version = options.ttl, options.only_if_absent, options.if_version
  if ttl ~= nil then want(ttl, "number", "ttl") end
  if absent ~= nil then want(absent, "boolean", "only_if_absent") end
  if version ~= nil then want(version, "string", "if_version") end
  if absent and version then return nil, k.invalid("store: only_if_absent and if_version exclude each other") end
  if version == "" then return nil, k.invalid("store: if_version must not be empty") end
  return write(self, key, value, ttl, absent, version)
end

--- {items, cursor, has_more}, err.
function methods.list(self, options)
  options = want_options(options, "list")
  local prefix, after, limit = options.prefix or "", options.after or "", options.limit
  want(prefix, "string", "prefix")
  want(after, "string", "after")
  if limit ~= nil and raw.math.type(limit) ~= "integer" then error("store: limit (integer) expected", 2) end
  if limit and limit < 1 then return nil, k.invalid("store: limit must be at least 1") end
  local id, err = usable(self, "store.key.list", { prefix = prefix })
  if not id then return nil, err end
  return k.ask("store.list", id, prefix, after, limit or false)
end

local function on_key(action, ask)
  return function(self, key)
    want(key, "string", "key")
    local id, err = usable(self, action, { key = key })
    if not id then return nil, err end
    return k.ask(ask, id, key)
  end
end

--- Whether the key is there, err; whether it was, err.
methods.has = on_key("store.key.has", "store.has")
methods.delete = on_key("store.key.delete", "store.delete")

--- {id, backend, consistency, durable, list, versioned, conditional_put, ttl}, err.
function methods.info(self)
  local id, err = usable(self, "store.info", {})
  if not id then return nil, err end
  return k.ask("store.open", id)
end

function methods.release(self)
  k.self(self, class, "store.Store").released = true
  return true
end

local lib = {
  backend = k.library { MEMORY = "memory", SQL = "sql", KV_RAFT = "kv.raft", KV_CRDT = "kv.crdt", UNKNOWN = "unknown" },
  consistency = k.library { LINEARIZABLE = "linearizable", EVENTUAL = "eventual", LOCAL = "local", UNKNOWN = "unknown" },
}

--- A store of the registry by its id: Store, err.
function lib.get(id)
  want(id, "string", "id")
  if id == "" then return nil, k.invalid("store: id must not be empty") end
  local ok, err = k.allowed("store.get", id)
  if not ok then return nil, err end
  ok, err = k.ask("store.open", id)
  if not ok then return nil, err end
  return k.new(class, { id = id }), nil
end

k.modules.store = k.library(lib)
