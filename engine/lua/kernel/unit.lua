-- The life of a unit: chunks and require, the body, events in, waits and the outcome out.
local k = ...
local raw, std = k.raw, k.std
local type, error, unpack = raw.type, raw.error, raw.unpack
local S = k.S

--- A new table with the keys of both; `over` wins.
function k.merged(base, over)
  local t = {}
  for key, value in raw.next, base do t[key] = value end
  for key, value in raw.next, over do t[key] = value end
  return t
end

--- Ask a host service by command (Ask of engine/steps.py) and wait.
function k.ask(service, ...)
  return k.command("ask", service, service, k.packed(...))
end

function k.log(level, message, fields, name)
  k.put("log", level, message, fields or {}, name or "")
end

function std.print(...)
  local parts = {}
  for i = 1, raw.select("#", ...) do parts[i] = std.tostring((raw.select(i, ...))) end
  k.log("info", raw.table.concat(parts, " "))
end

-- --- chunks, environments, require ------------------------------------------------------------

local loaded = {} -- entry id of a library -> {value}
local environment

local function run_chunk(id)
  local chunk = k.program.chunks[id]
  local fn, why = raw.load(chunk.code, "=" .. id, "b", environment(chunk))
  if not fn then error("cannot load " .. id .. ": " .. why, 0) end
  return fn()
end

local function library(id)
  local slot = loaded[id]
  if not slot then
    slot = { value = (run_chunk(id)) }
    loaded[id] = slot
  end
  return slot.value
end

local always = { process = true, channel = true, payload = true, errors = true, string = true, table = true, math = true,
  os = true, coroutine = true }

local function not_in_workflows(name)
  return k.failure("PermissionDenied", "module '" .. name .. "' is not allowed in a workflow: module does not have any allowed class", false)
end

-- Modules and imports are globals of the chunk that declares them; the rest is shared and read-only.
function environment(chunk)
  local env = {}
  local bound = {}
  for name in raw.next, always do bound[name] = std[name] end
  for i = 1, #chunk.modules do
    local name = chunk.modules[i]
    local module = k.modules[name]
    if k.is_workflow and k.host_modules[name] then error(not_in_workflows(name), 0) end
    if module ~= nil then env[name], bound[name] = module, module end
  end
  for i = 1, #chunk.imports, 2 do
    local alias = chunk.imports[i]
    local value = library(chunk.imports[i + 1])
    env[alias], bound[alias] = value, value
  end
  env._G = env
  env.require = function(name)
    local value = bound[name]
    if value == nil then error("module '" .. std.tostring(name) .. "' not found", 2) end
    return value
  end
  return raw.setmetatable(env, { __index = std, __metatable = "environment" })
end

std.package = { loaded = {}, path = "", cpath = "" }

local function method_of(result, name)
  if type(result) == "function" then return result end
  local fn = type(result) == "table" and not k.is_object(result) and result[name]
  if type(fn) == "function" then return fn end
  error(k.failure("NotFound", 'method "' .. name .. '" not found in module', false), 0)
end

local function body(args)
  local fn = method_of(run_chunk(k.entry_id), k.program.method)
  return fn(unpack(args, 1, args.n))
end

-- --- the outcome ------------------------------------------------------------------------------

local function finish(value, extra)
  local failure = extra ~= nil and k.returned_error(extra) or nil
  if failure then
    k.outcome = { "failed", failure }
  else
    k.outcome = { "returned", value }
  end
end

local limit_messages = {
  instructions = function() return "instruction limit exceeded: more than " .. k.limits.instructions .. " Lua instructions in one step" end,
  memory = function() return "memory limit exceeded: more than " .. k.limits.memory .. " bytes of Lua memory" end,
}

function k.limit_failure()
  return k.make_error { kind = "LimitExceeded", message = limit_messages[k.exceeded or "memory"](), retryable = false,
    stack = k.failed_task and k.clean_stack(raw.debug.traceback(k.failed_task.co)) or "" }
end

-- A raised value may have metamethods of the user's: they run under the limits too.
local function failure_of_task()
  if k.exceeded then return k.limit_failure() end
  if k.is_error(k.failed_with) then return k.failed_with end
  local co = k.guard(raw.coroutine.create(k.normalise))
  local ok, failure = raw.coroutine.resume(co, k.failed_with, k.failed_task.co)
  if k.exceeded then return k.limit_failure() end
  if ok and k.is_error(failure) then return failure end
  return k.make_error { kind = "Internal", message = "error object of type " .. type(k.failed_with) }
end

--- End the unit with a failure from outside its tasks.
function k.fail(failure)
  k.outcome = k.outcome or { "failed", failure }
end

--- Ask to go on as another body; blocks for ever.
function k.upgrade(entry, args)
  k.outcome = { "upgraded", entry, args }
  k.main.dead = true
  return k.park()
end

local function put_outcome()
  local kind, a, b = unpack(k.outcome, 1, 3)
  if kind == "upgraded" then
    local unread = k.take_unread()
    local list = {}
    for i = 1, #unread do list[i] = k.packed(unread[i].topic, unread[i].sender, k.packed(unpack(unread[i].payloads, 1, unread[i].payloads.n))) end
    local ok, why = k.put("upgraded", a, b, k.packed(unpack(list)))
    if ok then return end
    kind, a = "failed", k.invalid(why)
  end
  local ok, why = k.put(kind, a)
  if not ok then k.put("failed", k.invalid("result: " .. why)) end
end

-- --- waits ------------------------------------------------------------------------------------

local function waits()
  local list = {}
  local function add(kind, name, seq, deadline) list[#list + 1] = k.packed(kind, name, seq, deadline) end
  for _, channel in raw.ipairs(k.external_channels()) do
    if k.has_receiver(channel) then
      local external = channel[S].external
      add(external.kind, external.name, k.taken(channel))
    end
  end
  local ids = {}
  for id in raw.next, k.pending do ids[#ids + 1] = id end
  raw.table.sort(ids)
  for i = 1, #ids do
    local entry = k.pending[ids[i]]
    add(entry.kind, entry.name, ids[i], entry.deadline)
  end
  return k.packed(unpack(list))
end

local function deadlocked()
  if raw.next(k.pending) ~= nil then return false end
  for _, channel in raw.ipairs(k.external_channels()) do
    if k.has_receiver(channel) then return false end
  end
  return true
end

-- --- events in --------------------------------------------------------------------------------

local takers = {
  resolved = function(e) k.answer(e[2], e[3]) end,
  rejected = function(e) k.answer(e[2], nil, e[3]) end,
  message = function(e)
    local payloads = { n = e.n - 3 }
    for i = 1, payloads.n do payloads[i] = e[i + 3] end
    k.deliver(e[2], e[3], payloads)
  end,
  cancel = function(e) k.raise_event(k.cancel_event(e[2], e[3], e[4])) end,
  exit = function(e) k.raise_event(k.exit_event("EXIT", e[2], e[3], e[4], e[5])) end,
  link_down = function(e)
    if k.unit_options.trap_links then
      k.raise_event(k.exit_event("LINK_DOWN", e[2], e[3], e[4], e[5]))
    else
      k.fail(k.make_error { kind = "Internal", message = "linked process failed", details = { pid = e[2] } })
    end
  end,
}

local function take_events(shape, values, count)
  local _, decode_packed = k.open(shape, values)
  for _ = 1, count do
    local event = decode_packed()
    takers[event[1]](event)
  end
end

-- --- the step ---------------------------------------------------------------------------------

local io = k.io -- the host writes inputs here and reads outputs from here

local function settle(status)
  if status == "service" then return 1 end
  k.refill() -- saying how it ended is not the unit's own work
  if status == "failed" then k.outcome = { "failed", failure_of_task() } end
  if not k.outcome and deadlocked() then
    k.outcome = { "failed", k.make_error { kind = "Internal", message = "all coroutines blocked with no pending operations" } }
  end
  if k.outcome then
    put_outcome()
  else
    k.put("waiting", k.is_workflow and waits() or k.packed(), k.unread())
  end
  return 0
end

-- The first input: what the unit is, its chunks, its arguments.
local function read_setup()
  local _, decode_packed = k.open(io.shape, io.values)
  local setup, args = decode_packed(), decode_packed()
  k.pid, k.entry_id, k.program, k.context, k.limits = unpack(setup, 1, 5)
  k.take_security(setup[6], setup[7])
  return args
end

local function begin_step()
  k.refill()
  if not k.main then
    local args = read_setup()
    k.main = k.spawn(function() finish(body(args)) end)
  elseif io.count > 0 then
    take_events(io.shape, io.values, io.count)
  end
  if k.outcome then return settle("idle") end
  return settle(k.run())
end

local function answer_service()
  local _, decode_packed = k.open(io.shape, io.values)
  local answer = decode_packed()
  return settle(k.resume_service(answer[1], answer[2]))
end

local function guarded(fn)
  return function()
    local ok, code = raw.pcall(fn)
    if ok then
      io.shape, io.values = k.take()
      return code
    end
    if not k.exceeded and code ~= "not enough memory" then return std.tostring(code) end
    k.exceeded = k.exceeded or "memory"
    return 2
  end
end

io.step = guarded(begin_step)
io.answer = guarded(answer_service)
