-- The `process` global (docs/lua.md#process), but for what every process does: mailbox.lua has that.
local k = ...
local raw = k.raw
local type, error = raw.type, raw.error

local lib = {
  event = { EXIT = "pid.exit", LINK_DOWN = "pid.link.down", CANCEL = "pid.cancel", OUTDATED = "pid.outdated" },
  registry = { LOCAL = 0, EVENTUAL = 1, CONSISTENT = 2, STRONG = 3 },
}

local function want_string(v, what, level)
  if type(v) ~= "string" then error(what .. " (string) expected, got " .. k.std.type(v), (level or 1) + 2) end
end

function lib.id() return k.entry_id end
function lib.events() return k.open_events() end

function lib.listen(topic, options)
  want_string(topic, "topic")
  local problem = k.topic_problem(topic, "listen to")
  if problem then return nil, k.invalid(problem) end
  return k.listen(topic, options)
end

function lib.unlisten(channel) return k.unlisten(channel) end

-- --- spawning ---------------------------------------------------------------------------------

local function missing(id, host)
  if type(id) ~= "string" or id == "" then return k.invalid("process id is required") end
  if type(host) ~= "string" or host == "" then return k.invalid("host is required") end
end

local function packed_messages(messages)
  local list = {}
  for i = 1, #messages do list[i] = k.packed(messages[i].topic, messages[i].payloads) end
  return k.packed(raw.unpack(list))
end

local defaults = { context = {}, options = {}, messages = {}, name = "" }

-- A taken name leads to its holder, who gets the messages and is watched: that takes the rights to do so.
local function reuse_refused(spec, monitor, link)
  local holder = spec.name ~= "" and not k.is_workflow and k.ask("names.lookup", spec.name)
  if not holder then return nil end
  local _, err = nil, nil
  if #spec.messages > 0 then _, err = k.allowed("process.send", holder) end
  if not err and monitor then _, err = k.allowed("process.monitor", holder) end
  if not err and link then _, err = k.allowed("process.link", holder) end
  return err
end

local function start_refused(spec, id, host, monitor, link)
  if not k.checks then return nil end
  local _, err = k.allowed("process.spawn", id)
  if not err and monitor then _, err = k.allowed("process.spawn.monitored", id) end
  if not err and link then _, err = k.allowed("process.spawn.linked", id) end
  if not err then _, err = k.allowed("process.host", host) end
  return err or reuse_refused(spec, monitor, link)
end

local function exec_refused(spec, id, host)
  local _, err = k.allowed("process.exec", id)
  if not err then _, err = k.allowed("process.host", host) end
  return err or k.checks and reuse_refused(spec, true, false) or nil
end

local function start(spec, monitor, link, id, host, ...)
  local err = missing(id, host) or start_refused(spec, id, host, monitor, link)
  if err then return nil, err end
  if link and k.kind == "workflow" then
    return nil, k.invalid("process.spawn_linked is not supported in workflow context: Temporal doesn't support bidirectional linking")
  end
  return k.command("spawn", id, id, host, k.packed(...), monitor, link, spec.name, spec.options,
    k.merged(k.context, spec.context), packed_messages(spec.messages), k.credentials(spec))
end

local function exec(spec, id, host, ...)
  local err = missing(id, host) or exec_refused(spec, id, host)
  if err then return nil, err end
  return k.command("exec", id, id, host, k.packed(...), spec.name, spec.options,
    k.merged(k.context, spec.context), packed_messages(spec.messages), k.credentials(spec))
end

function lib.spawn(...) return start(defaults, false, false, ...) end
function lib.spawn_monitored(...) return start(defaults, true, false, ...) end
function lib.spawn_linked(...) return start(defaults, false, true, ...) end
function lib.spawn_linked_monitored(...) return start(defaults, true, true, ...) end
function lib.exec(...) return exec(defaults, ...) end

-- --- the spawner loads when first used ----------------------------------------------------------

k.spawning = { start = start, exec = exec, defaults = defaults }

local function on_demand(name)
  lib[name] = function(values)
    k.need("spawner")
    return k.spawning.builder[name](k.spawning.new(), values)
  end
end

on_demand("with_context")
on_demand("with_options")

-- --- lifecycle control --------------------------------------------------------------------------

local refusals = {
  monitor = "process.monitor is not supported in workflow context: child workflows are automatically monitored",
  unmonitor = "process.unmonitor is not supported in workflow context",
  link = "process.link is not supported in workflow context: Temporal doesn't support bidirectional linking",
  unlink = "process.unlink is not supported in workflow context: Temporal doesn't support bidirectional linking",
}

local function control(verb)
  return function(dest, reason)
    want_string(dest, "destination")
    if k.kind == "workflow" and refusals[verb] then return nil, k.invalid(refusals[verb]) end
    local target, err = dest, nil
    if k.checks then target, err = k.permitted_target("process." .. verb, dest) end
    if err then return nil, err end
    return k.command("control", target, verb, target, type(reason) == "string" and reason or "")
  end
end

for _, verb in raw.ipairs { "cancel", "terminate", "monitor", "unmonitor", "link", "unlink" } do
  lib[verb] = control(verb)
end

local options = k.unit_options

function lib.get_options()
  return { trap_links = options.trap_links, upgradable = options.upgradable }
end

local function option_problem(wanted)
  if type(wanted) ~= "table" or k.is_object(wanted) then return "options must be a table" end
  for key, value in raw.next, wanted do
    if options[key] == nil then return "option " .. k.std.tostring(key) .. " is not supported" end
    if type(value) ~= "boolean" then return "option " .. key .. " must be a boolean" end
  end
end

function lib.set_options(wanted)
  local problem = option_problem(wanted)
  if problem then return false, k.invalid(problem) end
  for key, value in raw.next, wanted do options[key] = value end
  return true, nil
end

--- Replace the body of this unit; never returns.
function lib.upgrade(id, ...)
  if id ~= nil then want_string(id, "process id") end
  local ok, why = k.upgrade(id or "", k.packed(...))
  if not ok then error(why, 2) end
end

-- --- names --------------------------------------------------------------------------------------

local function name_problem(name)
  if type(name) ~= "string" or name == "" then return k.invalid("name cannot be empty") end
end

local function register_refused(name, pid)
  local _, err = k.allowed("process.registry.register", name)
  if not err and pid ~= nil and pid ~= k.pid then _, err = k.allowed("process.registry.foreign", k.std.tostring(pid)) end
  return err
end

function lib.registry.register(name, pid, scope)
  local err = name_problem(name) or register_refused(name, pid)
  if err then return nil, err end
  return k.ask("names.register", name, pid or k.pid, scope or 0)
end

function lib.registry.lookup(name)
  local err = name_problem(name)
  if err then return nil, err end
  return k.ask("names.lookup", name)
end

function lib.registry.unregister(name, scope)
  if name_problem(name) then return false end
  local ok, err = k.allowed("process.registry.unregister", name)
  if not ok then return false, err end
  return (k.ask("names.unregister", name, scope or 0)) == true
end

lib.event, lib.registry = k.library(lib.event), k.library(lib.registry)
local process = k.reveal(k.std.process)
for name, field in raw.next, lib do process[name] = field end
