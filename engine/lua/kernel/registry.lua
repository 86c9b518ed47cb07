-- The registry (docs/lua.md#registry). Objects hold the number of a version and ask the host for what they are asked.
local k = ...
local raw = k.raw
local type = raw.type
local S = k.S

local MAX_DEPTH = 100

local function denied(action, resource)
  local _, err = k.allowed(action, resource)
  return err
end

--- The entries that the unit may read.
local function visible(entries, err)
  if not entries or not k.checks then return entries, err end
  local list = {}
  for i = 1, #entries do
    if k.allowed("registry.get", entries[i].id) then list[#list + 1] = entries[i] end
  end
  return list, nil
end

local function get(version, id)
  if type(id) ~= "string" or id == "" then return nil, k.invalid("entry id (non-empty string) expected") end
  local err = denied("registry.get", id)
  if err then return nil, err end
  return k.ask("registry.get", version, id)
end

local function find(version, filter)
  if type(filter) ~= "table" or k.is_object(filter) then return nil, k.invalid("filter (table) expected") end
  return visible(k.ask("registry.find", version, filter))
end

-- --- versions ---------------------------------------------------------------------------------

local version_methods = {}
local version_class = k.class("registry.Version", version_methods, {
  __tostring = function(self) return "registry.Version{" .. raw.tostring(self[S].id) .. "}" end,
  __eq = function(a, b) return a[S].id == b[S].id end,
})

local function version_of(id, err)
  if not id then return nil, err end
  return k.new(version_class, { id = id }), nil
end

function version_methods.id(self) return k.self(self, version_class, "registry.Version").id end
function version_methods.string(self) return "v" .. raw.tostring(k.self(self, version_class, "registry.Version").id) end

--- The version before, nil for the first.
function version_methods.previous(self)
  return version_of(k.ask("registry.beside", k.self(self, version_class, "registry.Version").id, -1))
end

--- The version after, nil for the newest.
function version_methods.next(self)
  return version_of(k.ask("registry.beside", k.self(self, version_class, "registry.Version").id, 1))
end

local function is_version(v) return type(v) == "table" and raw.getmetatable(v) == version_class end

--- The number that a Version, or a number, means; nil and why not.
local function number_of(v)
  local id = is_version(v) and v[S].id or raw.math.tointeger(v)
  if not id then return nil, k.invalid("registry version expected") end
  if id <= 0 then return nil, k.invalid("a registry version is greater than 0") end
  return id
end

local function known(v)
  local id, err = number_of(v)
  if not id then return nil, err end
  return k.ask("registry.version", id)
end

-- --- changes ----------------------------------------------------------------------------------

local changes_methods = {}
local changes_class = k.class("registry.Changes", changes_methods, {
  __tostring = function(self) return "registry.Changes{" .. #self[S].ops .. "}" end,
})

--- Append an operation with its entry as it is now.
local function add(self, kind, entry)
  local state = k.self(self, changes_class, "registry.Changes")
  state.ops[#state.ops + 1] = { kind = kind, entry = k.copied(entry) }
  return self
end

local function id_problem(entry)
  if type(entry) ~= "table" or k.is_object(entry) then return k.invalid("entry (table) expected") end
  local id = entry.id
  if type(id) == "string" and id ~= "" then return nil end
  if type(id) == "table" and type(id.ns) == "string" and type(id.name) == "string" then return nil end
  return k.invalid("an entry needs an id (string)")
end

function changes_methods.create(self, entry)
  local err = id_problem(entry)
  if not err and type(entry.kind) ~= "string" then err = k.invalid("an entry needs a kind (string)") end
  if err then return nil, err end
  return add(self, "entry.create", entry)
end

function changes_methods.update(self, entry)
  local err = id_problem(entry)
  if err then return nil, err end
  return add(self, "entry.update", entry)
end

local function text_or_nil(v) return type(v) == "string" and v ~= "" and v or nil end

--- Collect the ids that the argument of `delete` names into `ids`; false when it names none.
local function collect(value, ids, depth)
  if text_or_nil(value) then
    ids[#ids + 1] = value
    return true
  end
  if type(value) ~= "table" or k.is_object(value) or depth > MAX_DEPTH then return false end
  if text_or_nil(value.id) then return collect(value.id, ids, depth) end
  if text_or_nil(value.ns) and text_or_nil(value.name) then return collect(value.ns .. ":" .. value.name, ids, depth) end
  for i = 1, #value do
    if not collect(value[i], ids, depth + 1) then return false end
  end
  return #value > 0
end

local function is_deleted(ops, id)
  for i = 1, #ops do
    if ops[i].kind == "entry.delete" and ops[i].entry.id == id then return true end
  end
  return false
end

--- delete(id), of an entry, of {ns, name}, or of a list of these.
function changes_methods.delete(self, value)
  local state, ids = k.self(self, changes_class, "registry.Changes"), {}
  if not collect(value, ids, 0) then return nil, k.invalid("entry id (string), or a list of ids, expected") end
  for i = 1, #ids do
    if not is_deleted(state.ops, ids[i]) then add(self, "entry.delete", { id = ids[i] }) end
  end
  return self
end

function changes_methods.ops(self) return k.copied(k.self(self, changes_class, "registry.Changes").ops) end

--- Publish all of it as one version, or nothing: Version, err.
function changes_methods.apply(self)
  local state = k.self(self, changes_class, "registry.Changes")
  if #state.ops == 0 then return nil, k.invalid("no changes to apply") end
  local err = denied("registry.apply", "registry")
  if err then return nil, err end
  return version_of(k.ask("registry.apply", k.entry_id, state.version, state.ops))
end

-- --- snapshots --------------------------------------------------------------------------------

local snapshot_methods = {}
local snapshot_class = k.class("registry.Snapshot", snapshot_methods, {
  __tostring = function(self) return "registry.Snapshot{" .. raw.tostring(self[S].version) .. "}" end,
})

local function snapshot_of(id, err)
  if not id then return nil, err end
  return k.new(snapshot_class, { version = id }), nil
end

local function number_in(self) return k.self(self, snapshot_class, "registry.Snapshot").version end

function snapshot_methods.entries(self) return find(number_in(self), {}) end
function snapshot_methods.get(self, id) return get(number_in(self), id) end
function snapshot_methods.find(self, filter) return find(number_in(self), filter) end
function snapshot_methods.version(self) return (version_of(number_in(self))) end

function snapshot_methods.namespace(self, name)
  local version = number_in(self)
  if not text_or_nil(name) then return nil, k.invalid("namespace (non-empty string) expected") end
  return find(version, { [".ns"] = name })
end

--- Changes to be made on this version.
function snapshot_methods.changes(self) return k.new(changes_class, { version = number_in(self), ops = {} }) end

-- --- the module -------------------------------------------------------------------------------

local function versions()
  local numbers, err = k.ask("registry.versions")
  if not numbers then return nil, err end
  for i = 1, #numbers do numbers[i] = version_of(numbers[i]) end
  return numbers, nil
end

local function snapshot_at(v) return snapshot_of(known(v)) end

local history_methods = {}
local history_class = k.class("registry.History", history_methods, { __tostring = function() return "registry.History" end })

function history_methods.versions(self)
  k.self(self, history_class, "registry.History")
  return versions()
end

function history_methods.get_version(self, v)
  k.self(self, history_class, "registry.History")
  return version_of(known(v))
end

function history_methods.snapshot_at(self, v)
  k.self(self, history_class, "registry.History")
  return snapshot_at(v)
end

local lib = { snapshot_at = snapshot_at, versions = versions }

function lib.get(id) return get(nil, id) end
function lib.find(filter) return find(nil, filter) end
function lib.snapshot() return snapshot_of(k.ask("registry.current")) end
function lib.current_version() return version_of(k.ask("registry.current")) end
function lib.history() return k.new(history_class, {}), nil end

--- {ns, name}, split at the first colon; without one ns is "".
function lib.parse_id(text)
  if type(text) ~= "string" then raw.error("registry.parse_id: id (string) expected", 2) end
  local colon = raw.string.find(text, ":", 1, true)
  if not colon then return { ns = "", name = text } end
  return { ns = raw.string.sub(text, 1, colon - 1), name = raw.string.sub(text, colon + 1) }
end

--- Put a version in force again; the next change still gets a number of its own, above all others.
function lib.apply_version(v)
  local id, err = number_of(v)
  err = err or denied("registry.apply_version", "registry")
  if err then return false, err end
  local number
  number, err = k.ask("registry.apply_version", k.entry_id, id)
  if err then return false, err end
  return number ~= nil, nil
end

local function is_list(v) return type(v) == "table" and not k.is_object(v) end

--- The operations that lead from some entries to others.
function lib.build_delta(from, to)
  if not (is_list(from) and is_list(to)) then return nil, k.invalid("two lists of entries expected") end
  return k.ask("registry.delta", from, to)
end

k.modules.registry = k.library(lib)
