--- 11.1 registry
local M = {}

local NS = "conf.registry"

local function ids(entries)
  local list = {}
  for i, entry in ipairs(entries) do list[i] = registry.parse_id(entry.id).name end
  table.sort(list)
  return table.concat(list, " ")
end

local function found(filter)
  filter[".ns"] = NS
  return ids(assert(registry.find(filter)))
end

--- An id of this run's own: other cases publish at the same time.
local function own(name)
  return "conf.published:" .. name .. "." .. process.pid():gsub("[^%w]", "_")
end

local function function_entry(id, source, extra)
  local data = { source = source, method = "main" }
  for key, value in pairs(extra or {}) do data[key] = value end
  return { id = id, kind = "function.lua", meta = {}, data = data }
end

local function publish(change)
  local snapshot = assert(registry.snapshot())
  return change(snapshot:changes()):apply()
end

-- on: function process
-- modules: registry
--- An entry is seen as id, kind, meta and data; the source is its text
function M.entry_view()
  local entry, err = registry.get(NS .. ":apple")
  assert(err == nil)
  assert(entry.id == NS .. ":apple" and entry.kind == "registry.entry")
  assert(entry.meta.colour == "red" and entry.meta.tags[2] == "round")
  assert(entry.data.weight == 180 and entry.data.parts.seeds == 5)
  assert(entry.data.kind == nil and entry.data.meta == nil and entry.data.name == nil)
  assert(registry.get(NS .. ":greet").data.source:find("hello", 1, true))
end

-- on: function process
-- modules: registry
--- meta and data are tables, also of an entry that has neither
function M.meta_and_data_are_tables()
  local entry = registry.get(NS .. ":leek")
  assert(type(entry.data) == "table" and next(entry.data) == nil)
  entry = registry.get("conf.units:echo")
  assert(type(entry.meta) == "table")
end

-- on: function process
-- modules: registry
--- What is not there is NotFound and not worth another try; an empty id is Invalid
function M.missing_entry()
  local entry, err = registry.get(NS .. ":nothing")
  assert(entry == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false)
  assert(tostring(err):find("nothing", 1, true))
  entry, err = registry.get("")
  assert(entry == nil and err:kind() == errors.INVALID)
end

-- on: function process
-- modules: registry
--- parse_id splits at the first colon; without one the namespace is empty
function M.parse_id()
  local id = registry.parse_id("app.lib:a:b")
  assert(id.ns == "app.lib" and id.name == "a:b")
  id = registry.parse_id("alone")
  assert(id.ns == "" and id.name == "alone")
end

-- on: function process
-- modules: registry
--- .kind, .name, .ns and .id are globs
function M.find_by_globs()
  assert(found { [".kind"] = "registry.entry" } == "apple leek lemon")
  assert(found { [".kind"] = "function.*" } == "greet")
  assert(found { [".name"] = "le*" } == "leek lemon")
  assert(ids(registry.find { [".id"] = "conf.reg*:*le" }) == "apple")
  assert(#registry.find { [".ns"] = "conf.nowhere" } == 0)
end

-- on: function process
-- modules: registry
--- meta.x is equality; ~ * ^ $ before it search, contain, begin, end
function M.find_by_meta()
  assert(found { ["meta.type"] = "fruit" } == "apple lemon")
  assert(found { ["meta.order"] = 2 } == "lemon")
  assert(found { ["meta.type"] = "frui" } == "")
  assert(found { ["~meta.comment"] = "^grows (on|at) b" } == "lemon")
  assert(found { ["*meta.comment"] = "on" } == "apple lemon")
  assert(found { ["^meta.colour"] = "gr" } == "leek")
  assert(found { ["$meta.colour"] = "low" } == "lemon")
  assert(found { ["meta.type"] = "fruit", ["meta.colour"] = "red" } == "apple")
end

-- on: function process
-- modules: registry
--- An array asks for all of its values
function M.find_by_all_of_an_array()
  assert(found { ["meta.tags"] = { "round" } } == "apple lemon")
  assert(found { ["meta.tags"] = { "round", "sour" } } == "lemon")
  assert(found { ["meta.tags"] = { "round", "flat" } } == "")
end

-- on: function process
-- modules: registry
--- Keys without `.` or `meta.` mean nothing
function M.find_ignores_other_keys()
  assert(found { type = "nothing", kind = "nothing" } == "apple greet leek lemon")
end

-- on: function process
-- modules: registry
--- A bad regular expression is Invalid and named
function M.find_names_a_bad_expression()
  local entries, err = registry.find { ["~meta.type"] = "(" }
  assert(entries == nil and err:kind() == errors.INVALID and tostring(err):find("~meta.type", 1, true))
  entries, err = registry.find(nil)
  assert(entries == nil and err:kind() == errors.INVALID)
end

-- on: function process
-- modules: registry
--- A snapshot reads like the registry, and stays what it was
function M.snapshot_is_immutable()
  local id = own("snapshot")
  local before = assert(registry.snapshot())
  assert(publish(function(changes) return changes:create { id = id, kind = "registry.entry", meta = {}, data = { n = 1 } } end))
  local after = assert(registry.snapshot())
  assert(select(2, before:get(id)):kind() == errors.NOT_FOUND)
  assert(after:get(id).data.n == 1)
  assert(after:version():id() > before:version():id())
  assert(ids(before:find { ["meta.type"] = "fruit" }) == "apple lemon")
  assert(ids(before:namespace(NS)) == "apple greet leek lemon")
  assert(#before:entries() > 4)
end

-- on: function process
-- modules: registry
--- snapshot_at refuses numbers under 1 and does not find versions to come
function M.snapshot_at()
  local snapshot = assert(registry.snapshot_at(1))
  assert(snapshot:version():id() == 1)
  for _, number in ipairs { 0, -1 } do
    local none, err = registry.snapshot_at(number)
    assert(none == nil and err:kind() == errors.INVALID)
  end
  local none, err = registry.snapshot_at(1000000)
  assert(none == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false)
end

-- on: function process
-- modules: registry
--- Versions have a number, a text and neighbours, and stand in ascending order
function M.versions()
  assert(publish(function(changes) return changes:create { id = own("versions"), kind = "registry.entry" } end))
  local current = assert(registry.current_version())
  local versions = assert(registry.versions())
  assert(#versions >= 2 and versions[1]:id() == 1)
  for i = 2, #versions do assert(versions[i]:id() > versions[i - 1]:id(), "ascending") end
  assert(math.type(current:id()) == "integer" and type(current:string()) == "string")
  assert(current:previous():id() == current:id() - 1)
  assert(versions[1]:previous() == nil and versions[1]:next():id() == 2)
end

-- on: function process
-- modules: registry
--- The history gives versions, and snapshots of them
function M.history()
  local history, err = registry.history()
  assert(err == nil)
  local version = assert(history:get_version(1))
  assert(version:id() == 1)
  assert(history:snapshot_at(version):version():id() == 1)
  assert(history:versions()[1]:id() == 1)
  local none
  none, err = history:get_version(1000000)
  assert(none == nil and err:kind() == errors.NOT_FOUND)
end

-- on: function process
-- modules: registry
--- The objects are userdata, and their text says what they are
function M.texts_of_objects()
  local snapshot = registry.snapshot()
  local objects = { Snapshot = snapshot, Version = snapshot:version(), Changes = snapshot:changes(), History = registry.history() }
  for name, object in pairs(objects) do
    assert(type(object) == "userdata" and tostring(object):find(name, 1, true), name)
  end
end

-- on: function process
-- modules: registry funcs
--- A created function can be called at once, an updated one is the new one, a deleted one is gone
function M.functions_follow()
  local id = own("follow")
  local version, err = publish(function(changes)
    return changes:create(function_entry(id, "return { main = function(n) return n + 1 end }"))
  end)
  assert(err == nil and version:id() == registry.current_version():id() or version:id() > 0)
  assert(funcs.call(id, 1) == 2)
  assert(publish(function(changes)
    return changes:update(function_entry(id, "return { main = function(n) return n + 2 end }"))
  end))
  assert(funcs.call(id, 1) == 3)
  assert(publish(function(changes) return changes:delete(id) end))
  local _, gone = funcs.call(id, 1)
  assert(gone:kind() == errors.NOT_FOUND)
end

-- on: function process
-- modules: registry funcs time
--- A call in flight ends on the code that it began with
function M.calls_in_flight_keep_their_code()
  local id = own("in_flight")
  assert(publish(function(changes)
    local source = 'return { main = function(reply) process.send(reply, "begun") process.inbox():receive() return "old" end }'
    return changes:create(function_entry(id, source))
  end))
  local begun = process.listen("begun", { message = true })
  local future = assert(funcs.async(id, process.pid()))
  local callee = begun:receive():from()
  assert(publish(function(changes) return changes:delete(id) end))
  assert(process.send(callee, "go"))
  assert(future:response():receive():data() == "old")
end

-- on: function process
-- modules: registry funcs
--- Types in an inline source are erased
function M.typed_source()
  local id = own("typed")
  assert(publish(function(changes)
    local source = "local function twice(n: number): number return n * 2 end\nreturn { main = function(n: number) return twice(n) end }"
    return changes:create(function_entry(id, source))
  end))
  assert(funcs.call(id, 21) == 42)
end

-- on: function process
-- modules: registry
--- Changes chain, and tell their operations
function M.changes_chain()
  local changes = registry.snapshot():changes()
  local entry = { id = own("chained"), kind = "registry.entry", meta = { a = 1 }, data = {} }
  assert(changes:create(entry):update(registry.get(NS .. ":leek")):delete(NS .. ":lemon"):delete { NS .. ":lemon" } == changes)
  entry.meta.a = 2
  local ops = changes:ops()
  assert(#ops == 3)
  assert(ops[1].kind == "entry.create" and ops[1].entry.id == entry.id and ops[1].entry.meta.a == 1)
  assert(ops[2].kind == "entry.update" and ops[2].entry.id == NS .. ":leek")
  assert(ops[3].kind == "entry.delete" and ops[3].entry.id == NS .. ":lemon")
end

-- on: function process
-- modules: registry
--- delete takes an id, an entry, {ns, name} or a list of them; anything else is Invalid
function M.delete_takes_many_shapes()
  local changes = registry.snapshot():changes()
  assert(changes:delete { "a:b", { ns = "a", name = "c" }, { { id = "a:d" } } })
  local ops = changes:ops()
  assert(#ops == 3 and ops[2].entry.id == "a:c" and ops[3].entry.id == "a:d")
  for _, bad in ipairs { {}, 7, "" } do
    local none, err = changes:delete(bad)
    assert(none == nil and err:kind() == errors.INVALID)
  end
end

-- on: function process
-- modules: registry
--- No change, an entry without id, without kind: Invalid
function M.invalid_changes()
  local changes = registry.snapshot():changes()
  local none, err = changes:apply()
  assert(none == nil and err:kind() == errors.INVALID and tostring(err):find("no changes", 1, true))
  none, err = changes:create { kind = "registry.entry" }
  assert(none == nil and err:kind() == errors.INVALID)
  none, err = changes:create { id = own("kindless") }
  assert(none == nil and err:kind() == errors.INVALID)
end

-- on: function process
-- modules: registry
--- Creating what is there is AlreadyExists, changing or deleting what is not is NotFound
function M.changes_that_do_not_fit()
  local none, err = publish(function(changes) return changes:create { id = NS .. ":leek", kind = "registry.entry" } end)
  assert(none == nil and err:kind() == errors.ALREADY_EXISTS)
  none, err = publish(function(changes) return changes:update { id = NS .. ":nothing", kind = "registry.entry" } end)
  assert(none == nil and err:kind() == errors.NOT_FOUND)
  none, err = publish(function(changes) return changes:delete(NS .. ":nothing") end)
  assert(none == nil and err:kind() == errors.NOT_FOUND)
end

-- on: function process
-- modules: registry
--- A change that is not sound changes nothing, and the error names entry, field and line
function M.unsound_change()
  local fine, broken = own("fine"), own("broken")
  local none, err = publish(function(changes)
    return changes:create { id = fine, kind = "registry.entry" }:create(function_entry(broken, "local a = 1\nreturn ="))
  end)
  assert(none == nil and err:kind() == errors.INVALID and err:retryable() == false)
  assert(tostring(err):find(broken, 1, true) and tostring(err):find("source", 1, true) and tostring(err):find(":2", 1, true))
  assert(select(2, registry.get(fine)):kind() == errors.NOT_FOUND)
end

-- on: function process
-- modules: registry
--- Who publishes a change of an entry that changed meanwhile gets a Conflict, and nothing is lost
function M.conflict()
  local id = own("conflict")
  local function entry(n) return { id = id, kind = "registry.entry", data = { n = n } } end
  assert(publish(function(changes) return changes:create(entry(1)) end))
  local snapshot = registry.snapshot()
  assert(snapshot:changes():update(entry(2)):apply())
  local none, err = snapshot:changes():update(entry(3)):apply()
  assert(none == nil and err:kind() == errors.CONFLICT and err:retryable() == true)
  assert(registry.get(id).data.n == 2)
end

-- on: function process
-- modules: registry
--- Lua code publishes no entries that carry credentials or rights
function M.guarded_kinds()
  local none, err = publish(function(changes)
    return changes:create { id = own("client"), kind = "temporal.client", data = { address = "localhost:7233" } }
  end)
  assert(none == nil and err:kind() == errors.PERMISSION_DENIED)
  none, err = publish(function(changes) return changes:create { id = own("env"), kind = "env.storage.os" } end)
  assert(none == nil and err:kind() == errors.PERMISSION_DENIED)
end

-- on: function process
-- modules: registry
--- build_delta tells the operations that lead from one list of entries to another
function M.build_delta()
  local function entry(name, n) return { id = "d:" .. name, kind = "registry.entry", meta = {}, data = { n = n } } end
  local ops = assert(registry.build_delta({ entry("a", 1), entry("b", 1), entry("c", 1) }, { entry("b", 2), entry("c", 1), entry("d", 1) }))
  local told = {}
  for _, op in ipairs(ops) do told[op.kind] = op.entry.id end
  assert(#ops == 3)
  assert(told["entry.create"] == "d:d" and told["entry.update"] == "d:b" and told["entry.delete"] == "d:a")
  assert(#registry.build_delta({}, {}) == 0)
  local none, err = registry.build_delta(1, {})
  assert(none == nil and err:kind() == errors.INVALID)
end

-- on: function process
-- modules: registry
--- apply_version refuses what is no version, and does not find what never was
function M.apply_version_refuses()
  local ok, err = registry.apply_version("x")
  assert(ok == false and err:kind() == errors.INVALID)
  ok, err = registry.apply_version(1000000)
  assert(ok == false and err:kind() == errors.NOT_FOUND)
end

return M
