-- The workflow module (docs/lua.md#workflow).
local k = ...
local raw = k.raw
local lib = {}

local function outside() return k.invalid("not in a workflow context") end

function lib.info() return (k.service("workflow.info")) end

local function length_of(field)
  local info = lib.info()
  return info and info[field] or 0
end

function lib.history_length() return length_of("history_length") end
function lib.history_size() return length_of("history_size") end

--- Run a child workflow on the same task queue and wait: value, err.
function lib.exec(id, ...)
  if k.kind ~= "workflow" then return nil, outside() end
  if raw.type(id) ~= "string" or id == "" then return nil, k.invalid("workflow id is required") end
  local ok, err = k.allowed("process.exec", id)
  if not ok then return nil, err end
  return k.command("exec", id, id, "", k.packed(...), "", {}, k.context, k.packed(), k.credentials({}))
end

--- The recorded version of a change; outside a workflow the newest.
function lib.version(change, min, max)
  if raw.type(change) ~= "string" or change == "" then return nil, k.invalid("change id is required") end
  if raw.math.type(min) ~= "integer" or raw.math.type(max) ~= "integer" then return nil, k.invalid("versions must be integers") end
  if min > max then return nil, k.invalid("min version is greater than max version") end
  if k.kind ~= "workflow" then return max end
  return k.ask("workflow.version", change, min, max)
end

--- Set search attributes or memo of this run.
function lib.attrs(attributes)
  if k.kind ~= "workflow" then return nil, outside() end
  if raw.type(attributes) ~= "table" or not (attributes.search or attributes.memo) then
    return nil, k.invalid("attrs needs search or memo")
  end
  return k.ask("workflow.attrs", attributes)
end

k.modules.workflow = k.library(lib)
