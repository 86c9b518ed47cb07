--- 1 Registry files and entries
local M = {}

-- modules: funcs
--- A file with `name` and `kind` beside `namespace` is one entry, its source relative to that file
function M.single_entry_file()
  assert(funcs.call("conf.single:alone") == "alone")
end

-- modules: funcs
--- Names may contain dots, slashes and dashes
function M.dotted_names()
  assert(funcs.call("conf.units:dotted.name-with/slash") == "conf.units:dotted.name-with/slash")
end

-- modules: funcs
--- A chunk may return a function itself; `method` is then ignored
function M.chunk_returns_a_function()
  assert(funcs.call("conf.units:bare", 1) == 2)
end

-- modules: funcs
--- `method` picks a function of the table that the chunk returns
function M.method_of_the_table()
  assert(funcs.call("conf.units:named_method") == 2)
end

-- modules: funcs
--- A table without the method fails the call: NotFound, method "x" not found in module
function M.missing_method()
  local value, err = funcs.call("conf.units:no_method")
  assert(value == nil and err:kind() == "NotFound", tostring(err))
  assert(string.find(err, 'method "third" not found in module', 1, true), tostring(err))
end

-- modules: funcs
--- A library is evaluated once per state, with its own modules and imports
function M.libraries()
  for _ = 1, 2 do -- a fresh state each time
    local got = assert(funcs.call("conf.units:importer"))
    assert(got.same, "two aliases are one library")
    assert(got.counted[1] == 1 and got.counted[2] == 2 and got.counted[3] == 3, "evaluated once")
    assert(got.json_inside and not got.json_outside, "a library's modules are its own")
    assert(not got.leaked, "a library's globals are its own")
    assert(got.loads == 1, "loaded once")
  end
end

-- modules: funcs
--- An entry that lists a module which does not exist loads; require of it raises a string with its name
function M.unknown_modules_load()
  local got = assert(funcs.call("conf.units:unknown_module"))
  assert(not got.ok and got.global)
  assert(got.why:find("module 'no_such_module' not found", 1, true), got.why)
  assert(got.fs_why:find("module 'fs' not found", 1, true), got.fs_why)
  assert(got.json == "1")
end

-- modules: funcs
--- `modules` may list what is always there, and `workflow`
function M.listing_globals_is_no_op()
  assert(funcs.call("conf.units:lists_globals") == true)
end

-- modules: funcs
--- Typed Lua runs with its types erased
function M.typed_lua()
  assert(funcs.call("conf.units:typed", { id = 1, tags = { "a", "b" } }) == 2)
  assert(funcs.call("conf.units:typed", { id = 1 }) == 0)
end

return M
