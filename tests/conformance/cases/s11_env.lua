--- 11.2 env
local M = {}

-- on: function process
-- modules: env
--- A variable is read by its name or by the id of its entry
function M.by_name_or_id()
  assert(env.get("CONF_OS") == "of the process")
  assert(env.get("conf.env:of_os") == "of the process")
  assert(env.get("CONF_FIXED") == "never changes")
end

-- on: function process
-- modules: env
--- One without a name is read by its id alone
function M.without_a_name()
  assert(env.get("conf.env:hidden") == "by id only")
  local value, err = env.get("hidden")
  assert(value == nil and err:kind() == errors.NOT_FOUND)
end

-- on: function process
-- modules: env
--- What is not declared, or not set, is NotFound; an empty name is Invalid
function M.not_found()
  for _, name in ipairs { "PATH", "HOME", "conf.env:nothing", "conf.env:memory", "CONF_UNSET" } do
    local value, err = env.get(name)
    assert(value == nil and err:kind() == errors.NOT_FOUND and err:retryable() == false, name)
    assert(tostring(err):find(name, 1, true), tostring(err))
  end
  local value, err = env.get("")
  assert(value == nil and err:kind() == errors.INVALID)
end

-- on: function process
-- modules: env
--- An empty value is a value: no default takes its place
function M.empty_value()
  local value, err = env.get("CONF_EMPTY")
  assert(value == "" and err == nil)
end

-- on: function process
-- modules: env
--- A default stands in until a value is set
function M.defaults()
  assert(env.get("CONF_CONSTANT") == "7")
  assert(env.set("CONF_MODE", "wild") == true)
  assert(env.get("CONF_MODE") == "wild")
end

-- on: function process
-- modules: env
--- Memory and files keep what is set, also the empty text
function M.set_is_kept()
  for _, name in ipairs { "CONF_LEVEL", "CONF_FILE" } do
    assert(env.set(name, "high = 1"))
    assert(env.get(name) == "high = 1", name)
  end
  assert(env.set("conf.env:blank", "")) -- a variable of its own: the same case runs beside this one
  assert(env.get("CONF_BLANK") == "")
end

-- on: function process
-- modules: env
--- Read-only variables and storages refuse: PermissionDenied
function M.read_only()
  for _, name in ipairs { "CONF_LOCKED", "CONF_OS", "CONF_FIXED", "CONF_CONSTANT" } do
    local before = env.get(name)
    local ok, err = env.set(name, "other")
    assert(not ok and err:kind() == errors.PERMISSION_DENIED, name)
    assert(env.get(name) == before)
  end
end

-- on: function process
-- modules: env
--- A file refuses what its lines can't hold
function M.what_a_file_can_not_hold()
  for _, value in ipairs { "two\nlines", "a # comment", " outer space" } do
    local ok, err = env.set("CONF_FILE", value)
    assert(not ok and err:kind() == errors.INVALID, value)
  end
end

-- on: function process
-- modules: env
--- A router reads its storages in order and writes into the first
function M.router()
  local found = env.get("CONF_BOTH")
  assert(found == "of the fixed one" or found == "of the memory")
  assert(env.set("CONF_BOTH", "of the memory"))
  assert(env.get("CONF_BOTH") == "of the memory")
end

-- on: function process
-- modules: env
--- set wants a declared variable
function M.set_of_nothing()
  local ok, err = env.set("CONF_NOTHING", "1")
  assert(not ok and err:kind() == errors.NOT_FOUND)
  ok, err = env.set("", "1")
  assert(not ok and err:kind() == errors.INVALID)
  assert(not pcall(env.set, "CONF_LEVEL", 1) and not pcall(env.get, nil))
end

-- on: function process
-- modules: env
--- get_all has what is declared under a name and set, and nothing else
function M.get_all()
  local all, err = env.get_all()
  assert(err == nil and all.CONF_OS == "of the process" and all.CONF_EMPTY == "" and all.CONF_CONSTANT == "7")
  assert(all.CONF_UNSET == nil and all.PATH == nil and all.hidden == nil)
end

return M
