-- The life of a unit: chunks and require, the body, events in, waits and the outcome out.
local k = ...
local raw, std = k.raw, k.std
local type, error, unpack = raw.type, raw.error, raw.unpack

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
    if value == nil and always[name] then value = std[name] end
    if value == nil then error("module '" .. std.tostring(name) .. "' not found", 2) end
    return value
  end
  return raw.setmetatable(env, { __index = std, __metatable = "environment" })
end

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

-- A raised value may have metamethods of the user's: they run under the limits too.
local function failure_of_task()
  if k.exceeded then return k.limit_failure() end
  if k.is_error(k.failed_with) then return k.failed_with end
  local co = k.guard(raw.coroutine.create(k.normalise))
  local ok, failure = k.served(co, raw.coroutine.resume(co, k.failed_with, k.failed_task.co))
  if k.exceeded then return k.limit_failure() end
  if ok and k.is_error(failure) then return failure end
  return k.make_error { kind = "Internal", message = "error object of type " .. type(k.failed_with) }
end

local function put_outcome()
  local kind, a, b = unpack(k.outcome, 1, 3)
  if kind == "upgraded" then
    kind, a = k.put_upgraded(a, b)
    if not kind then return end
  end
  local ok, why = k.put(kind, a)
  if not ok then k.put("failed", k.invalid("result: " .. why)) end
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
}

local function take_events(shape, values, count)
  local _, decode_packed = k.open(shape, values)
  for _ = 1, count do
    local event = decode_packed()
    local take = takers[event[1]] or k.take_event
    take(event)
  end
end

-- --- the step ---------------------------------------------------------------------------------

local io = k.io -- the host writes inputs here and reads outputs from here

local function settle(status)
  k.refill() -- saying how it ended is not the unit's own work
  if status == "failed" then k.outcome = { "failed", failure_of_task() } end
  if not k.outcome and deadlocked() then
    k.outcome = { "failed", k.make_error { kind = "Internal", message = "all coroutines blocked with no pending operations" } }
  end
  if k.outcome then
    put_outcome()
  else
    k.put("waiting", k.is_workflow and k.waits() or k.packed(), k.unread())
  end
  return 0
end

local function always_allowed() return true end

--- What a callee gets: the unit's own security context or nil, with the actor or scope of an executor or spawner.
function k.credentials(spec)
  if not (k.security or spec.actor or spec.scope) then return nil end
  return k.reference(spec.actor, spec.scope)
end

-- The first input: what the unit is, its chunks, its arguments.
local function read_setup()
  local _, decode_packed = k.open(io.shape, io.values)
  local setup, args = decode_packed(), decode_packed()
  k.pid, k.entry_id, k.program, k.context, k.limits = unpack(setup, 1, 5)
  -- Who acts here: {actor = {id, meta}, scope = list of {id, definition}}, each or all of it missing. `strict` is the
  -- rule of the node for units without a whole one.
  local security, strict = setup[6] or false, setup[7]
  k.security = security
  k.checks = strict or (security and security.actor ~= nil and security.scope ~= nil) or false
  if not k.checks then k.allowed = always_allowed end
  return args
end

local function begin()
  local args = read_setup()
  for i = 1, #io.files do k.need(io.files[i]) end
  k.main = k.spawn(function() finish(body(args)) end)
end

local function step()
  k.refill()
  if not k.main then
    begin()
  elseif io.count > 0 then
    take_events(io.shape, io.values, io.count)
  end
  return settle(k.outcome and "idle" or k.run())
end

-- All of the kernel's own work is one coroutine, so that it can ask the host in the middle of anything.
local system = raw.coroutine.create(function()
  while true do raw.coroutine.yield(step()) end
end)
k.system = system

--- Ask the host for what `io.shape` and `io.values` say; its answer: value, failure.
function k.host_answer()
  raw.coroutine.yield(1)
  local _, decode_packed = k.open(io.shape, io.values)
  local answer = decode_packed()
  return answer[1], answer[2]
end

--- Ask the host for the code of a file.
function k.host_chunk(name)
  io.chunk = name
  raw.coroutine.yield(3)
  return io.chunk
end

--- Run until everything is blocked (0), the host is asked for a service (1) or for a file (3), or a limit struck (2).
function io.go()
  local ok, code = raw.coroutine.resume(system)
  if ok then
    if code ~= 3 then io.shape, io.values = k.take() end
    return code
  end
  if not k.exceeded and code ~= k.MEMORY_ERROR then return std.tostring(code) end
  k.exceeded = k.exceeded or "memory"
  return 2
end
