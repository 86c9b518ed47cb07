-- Environment variables that entries declare (docs/lua.md#env); the host keeps them.
local k = ...
local raw = k.raw
local lib = {}

local function want_string(v, what)
  if raw.type(v) ~= "string" then raw.error("env: " .. what .. " (string) expected", 3) end
end

--- The id of a variable that the unit may use so: rights go by the variable's name, also where code writes its id.
local function variable(name, action)
  if name == "" then return nil, k.invalid("variable name is required") end
  local found, err = k.ask("env.resolve", name)
  if not found then return nil, err end
  local ok, denied = k.allowed(action, found.name)
  if not ok then return nil, denied end
  return found.id
end

function lib.get(name)
  want_string(name, "name")
  local id, err = variable(name, "env.get")
  if not id then return nil, err end
  return k.ask("env.get", id)
end

function lib.set(name, value)
  want_string(name, "name")
  want_string(value, "value")
  local id, err = variable(name, "env.set")
  if not id then return nil, err end
  return k.ask("env.set", id, value)
end

--- {name = value} of all variables that have a name and a value, and that the unit may read.
function lib.get_all()
  local values, err = k.ask("env.get_all")
  if not values then return nil, err end
  local visible = {}
  for i = 1, #values do
    local name = values[i].name
    if k.allowed("env.get", name) then visible[name] = values[i].value end
  end
  return visible, nil
end

k.modules.env = k.library(lib)
