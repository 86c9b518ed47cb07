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

--- Ask the host by command (Ask of engine/steps.py) and wait.
function k.ask(name, ...)
  return k.command("ask", name, name, k.packed(...))
end

-- --- chunks, environments, require ------------------------------------------------------------

local loaded = {} -- entry id of a library -> {value}
local environment

local function run_chunk(id)
  local chunk = k.program.chunks[id]
  local fn, why = raw.load(chunk.code, "=" .. id, "b", environment(chunk, id))
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

local libraries, asking = k.index.libraries, k.index.asking

local function not_in_workflows(name)
  return k.failure("PermissionDenied", "module '" .. name .. "' is not allowed in a workflow: module does not have any allowed class", false)
end

-- From version 2 on the globals of a chunk are a table as any other, for who asks about it: until then what is shared
-- stays out of it, since most of that is loaded for nobody.
if k.version > 1 then k.global_meta = { __index = std } end

local function fill_globals(env)
  for name in raw.next, k.index.globals do
    if raw.rawget(env, name) == nil then raw.rawset(env, name, std[name]) end
  end
  for name, value in raw.next, std do
    if raw.rawget(env, name) == nil then raw.rawset(env, name, value) end
  end
  raw.setmetatable(env, nil)
end

-- `package` and `require` of a chunk, whose `bound` are its modules and imports.
local function packaged(env, bound, chunk_id)
  local function found(name)
    if name == "_G" then return env end
    local value = bound[name]
    if value == nil and libraries[name] then return std[name] end
    return value
  end
  local known = raw.setmetatable({}, { __index = function(_, name) return found(name) end })
  k.reveal_by(known, function()
    for name in raw.next, libraries do raw.rawset(known, name, found(name)) end
    for name, value in raw.next, bound do raw.rawset(known, name, value) end
    known._G = env
    raw.setmetatable(known, nil)
  end)
  local preload = {}
  env.package = { loaded = known, preload = preload, path = "", cpath = "", config = "/\n;\n?\n!\n-\n" }
  env.require = function(name)
    if known[name] ~= nil then return known[name] end
    local loader = preload[name]
    if loader == nil then
      error("module '" .. std.tostring(name) .. "' not found: list it in `modules` or `imports` of " .. chunk_id, 2)
    end
    local value = loader(name, ":preload:")
    if value ~= nil or known[name] == nil then known[name] = value == nil or value end
    return known[name]
  end
end

-- Modules and imports are globals of the chunk that declares them; the rest is shared and read-only.
function environment(chunk, id)
  local env = {}
  local bound = {}
  for i = 1, #chunk.modules do
    local name = chunk.modules[i]
    local module = k.modules[name]
    if k.is_workflow and asking[name] then error(not_in_workflows(name), 0) end
    if module ~= nil then env[name], bound[name] = module, module end
  end
  for i = 1, #chunk.imports, 2 do
    local alias = chunk.imports[i]
    local value = library(chunk.imports[i + 1])
    env[alias], bound[alias] = value, value
  end
  env._G = env
  if k.version > 1 then
    packaged(env, bound, id)
    return k.reveal_by(raw.setmetatable(env, k.global_meta), fill_globals)
  end
  env.require = function(name)
    local value = bound[name]
    if value == nil and libraries[name] then value = std[name] end
    if value == nil then error("module '" .. std.tostring(name) .. "' not found", 2) end
    return value
  end
  return raw.setmetatable(env, { __index = std, __metatable = "environment" })
end

local function method_of(result, name)
  if type(result) == "function" then return result end
  local fn = type(result) == "table" and not k.is_object(result) and result[name]
  if type(fn) == "function" then return fn end
  local where = k.version < 2 and "" or " " .. k.entry_id .. ": its source must return a table with that function"
  error(k.failure("NotFound", 'method "' .. name .. '" not found in module' .. where, false), 0)
end

local function body(args)
  local fn = method_of(run_chunk(k.entry_id), k.program.method)
  return fn(unpack(args, 1, args.n))
end

-- --- the outcome ------------------------------------------------------------------------------

--- What modules have to do when the body has ended; it may block.
function k.at_end() end

local function finish(value, extra)
  k.at_end()
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
  local ok, failure = k.served(co, raw.coroutine.resume(co, k.failed_with, k.failed_task))
  if k.exceeded then return k.limit_failure() end
  if ok and k.is_error(failure) then return failure end
  return k.make_error { kind = "Internal", message = "error object of type " .. type(k.failed_with) }
end

-- An error that can't cross as it is: what it says, without what it holds.
local function without_details(failure, why)
  local state = failure[k.S]
  local message = raw.string.sub(k.error_boundary_message(state), 1, 10000)
  return k.make_error { kind = state.kind, message = message .. " (its details are left out: " .. why .. ")",
    retryable = state.retryable, stack = #state.stack < 10000 and state.stack or nil }
end

local function put_outcome()
  local kind, a, b = unpack(k.outcome, 1, 3)
  if kind == "upgraded" then
    kind, a = k.put_upgraded(a, b)
    if not kind then return end
  end
  local ok, why = k.hand(kind, a)
  if ok then return end
  if kind == "failed" and k.version > 1 then return k.hand("failed", without_details(a, why)) end
  k.hand("failed", k.invalid("result: " .. why))
end

local function deadlocked() return not k.expects() and not k.hears() end

local io = k.io -- the host writes inputs here and reads outputs from here

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

local function take_events(count)
  local _, decode_packed = k.open(io.input, io.split)
  for _ = 1, count do
    local event = decode_packed()
    local take = takers[event[1]] or k.take_event
    take(event)
  end
end

-- --- the step ---------------------------------------------------------------------------------

local function settle(status)
  k.refill() -- saying how it ended is not the unit's own work
  if status == "failed" then k.outcome = { "failed", failure_of_task() } end
  if not k.outcome then k.look() end
  if not k.outcome and deadlocked() then
    k.outcome = { "failed", k.make_error { kind = "Internal", message = "all coroutines blocked with no pending operations" } }
  end
  if not k.outcome then return 0, k.unread() end
  put_outcome()
  return 0, 0
end

local function always_allowed() return true end

--- What a callee gets: the unit's own security context or nil, with the actor or scope of an executor or spawner.
function k.credentials(spec)
  if not (k.security or spec.actor or spec.scope) then return nil end
  return k.reference(spec.actor, spec.scope)
end

-- The first input: what the unit is, its chunks, its arguments.
local function read_setup()
  local _, decode_packed = k.open(io.input, io.split)
  local setup, args = decode_packed(), decode_packed()
  k.pid, k.entry_id, k.program, k.context, k.limits = unpack(setup, 1, 5)
  -- Who acts here: {actor = {id, meta}, scope = list of {id, definition}}, each or all of it missing. `strict` is the
  -- rule of the node for units without a whole one.
  local security, strict = setup[6] or false, setup[7]
  k.limit_records(k.limits.record)
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
  k.begin_records()
  k.issued, k.sends = false, io.sends or 0
  if not k.main then
    begin()
  elseif io.count > 0 then
    take_events(io.count)
  end
  return settle(k.outcome and "idle" or k.run())
end

-- All of the kernel's own work is one coroutine, so that it can ask the host in the middle of anything.
local system = raw.coroutine.create(function()
  while true do raw.coroutine.yield(step()) end
end)
k.system = system

-- What coroutines ask of the host while they run; each returns the answer.
local asks = {}
k.asks = asks

--- Ask for what is put; its answer: value, failure.
function asks.service()
  raw.coroutine.yield(1)
  local _, decode_packed = k.open(io.input, io.split)
  local answer = decode_packed()
  return answer[1], answer[2]
end

--- Ask for the code of a file.
function asks.chunk(name)
  io.chunk = name
  raw.coroutine.yield(3)
  return io.chunk
end

--- Ask to send what is put at once; true, nil and an error, or false when it takes a command.
function asks.send()
  local done = raw.coroutine.yield(4)
  if done ~= 2 then return done == 1 end
  local decode = k.open(io.input, io.split)
  return nil, decode()
end

-- --- in and out -------------------------------------------------------------------------------
-- Lists go as arguments and results while they are short: a table costs the host more.

local MOST_RESULTS = 100

--- Place an input of `count` events: shape and values, the shape `split` long.
function io.place(count, now, split, ...)
  io.count, io.now, io.split, io.input = count, now, split, { ... }
end

--- Go on until everything is blocked (0), the host is asked for a service (1), a file (3) or a send (4), or a limit struck
-- (2); `answer` is that of a send. Returns the code, the messages that wait, the length of what was put, and that itself:
-- shape and values; when it is long it is in `io.output` and the length of the shape is given as -1 - length.
function io.go(answer)
  local ok, code, unread = raw.coroutine.resume(system, answer)
  if not ok then
    if not k.exceeded and code ~= k.MEMORY_ERROR then return std.tostring(code) end
    k.exceeded = k.exceeded or "memory"
    return 2, 0, 0
  end
  if code == 3 or k.nothing_put() then return code, unread or 0, 0 end
  local list, shape, values = k.take()
  if shape + values <= MOST_RESULTS then return code, unread or 0, shape, unpack(list, 1, shape + values) end
  io.output = list
  return code, unread or 0, -1 - shape
end
